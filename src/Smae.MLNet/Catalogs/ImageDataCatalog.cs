namespace Smae.MLNet;

/// <summary>Loads folders and columns of images: extensions of <see cref="MLContext.Data"/>.</summary>
public static class ImageDataCatalog
{
    /// <summary>Lists the images in a folder, with their labels where the folder tells them. No image is read.</summary>
    /// <remarks>
    /// <para>
    /// The data view has two text columns: <c>ImagePath</c>, the full path of the file, and <c>Label</c>, empty where there is none. Rows come in
    /// ordinal order of the paths, the same on every system; the view can be shuffled. Files that end in one of <see cref="ImageFiles.Extensions"/>
    /// are images. Labels are in Unicode's composed form, however the names of the folders are written (macOS writes letters and marks apart).
    /// What is left out is told by a warning in the log of the <see cref="MLContext"/>, with count, reason and an example.
    /// </para>
    /// <list type="bullet">
    /// <item>Class folders: the label is the name of the folder, images may lie at any depth in it, and the class folders in one folder more, such as
    /// <c>images</c>. Images beside the class folders are left out; where they are more than those in them they are taken, without labels.</item>
    /// <item>Tiny ImageNet as it is distributed: the folder of the data set, or <c>train</c> or <c>val</c> in it (labels of <c>val</c> come from
    /// <c>val_annotations.txt</c>). Labels are WordNet identifiers.</item>
    /// <item>CUB-200-2011 as it is distributed, known by its <c>images.txt</c>: labels are the names in <c>classes.txt</c>, splits come from
    /// <c>train_test_split.txt</c>.</item>
    /// <item>Images without class folders: labels are empty.</item>
    /// </list>
    /// <para>
    /// Two folders or more named for splits, in any common spelling (train, Training, train_set, seg_train, val, validation, dev, test, Testing), make a
    /// data set with splits, each laid out as one of the above. Splits may lie in the class folders too.
    /// </para>
    /// </remarks>
    /// <param name="path">The folder.</param>
    /// <param name="split">
    /// The part of a data set with splits to list. The default, <see cref="ImageFolderSplit.All"/>, takes every image of every split, save those without a
    /// label where others have one (Tiny ImageNet's test images).
    /// </param>
    /// <param name="readableNames">
    /// Whether labels are the names that people read, where a list beside the folders has them: <c>words.txt</c> (Tiny ImageNet: "academic gown", not
    /// n02669723), <c>classes.txt</c>, <c>labels.txt</c>, with lines of a folder's name and the class's, or of names alone where the folders are their
    /// numbers, or as many and in one order. Without a list, numbered folders lose their numbers (CUB-200-2011: "Black footed Albatross"). A list that lacks
    /// names, or is not used, is told by a warning. Annotations, reports and saved models then have the names too. Default false: labels are the folders' names.
    /// </param>
    /// <returns>A data view with the columns <c>ImagePath</c> and <c>Label</c>.</returns>
    /// <exception cref="ArgumentException"><paramref name="path"/> is null or blank, or the data set has no such split.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="InvalidDataException">
    /// There is no image in it, or a list of the data set is malformed (the message has file and line).
    /// </exception>
    public static IDataView LoadImageFolder(
        this DataOperationsCatalog catalog, string path, ImageFolderSplit split = ImageFolderSplit.All, bool readableNames = false)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        using IChannel channel = CatalogEnvironment.Of(catalog).Start(nameof(LoadImageFolder));
        var folder = new ImageFolder(message => channel.Warning(MessageSensitivity.UserData, message));
        // The rows are in memory already; the cache makes them a view that can be shuffled whole, which LoadFromEnumerable's is not.
        return catalog.Cache(catalog.LoadFromEnumerable(folder.List(path, split, readableNames)));
    }

    /// <summary>Decodes and resizes every image of a column, on all cores, as <c>MaePretrain</c> does before it trains.</summary>
    /// <param name="data">The data.</param>
    /// <param name="inputColumnName">The column of images: <c>MLImage</c>, paths (text) or encoded files (<c>Vector&lt;Byte&gt;</c>).</param>
    /// <param name="preprocessing">Size and channels that the images are brought to.</param>
    /// <param name="reading">
    /// What happens with images that cannot be read, how much of the images may be in memory, and whether the next run may use them; null, the default, takes
    /// every option's default.
    /// </param>
    /// <param name="cancellationToken">Stops the work. Default none.</param>
    /// <param name="distributed">
    /// The processes that all call this: they decode each image once, and those of a machine share the memory. Default null: this one alone.
    /// </param>
    /// <returns>The images in the order of the rows; the caller disposes the store.</returns>
    /// <exception cref="ArgumentException">An option is out of range, of which the message names every one that is, or the processes have other images.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    /// <exception cref="InvalidDataException">
    /// No image could be read, or one could not and <see cref="ImageReadOptions.BrokenImages"/> does not say to skip it.
    /// </exception>
    public static ImageStore LoadImageStore(
        this DataOperationsCatalog catalog, IDataView data, string inputColumnName, ImagePreprocessing preprocessing,
        ImageReadOptions? reading = null, CancellationToken cancellationToken = default, DataParallel? distributed = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(preprocessing);
        reading ??= new ImageReadOptions();
        reading.Validate();
        var host = CatalogEnvironment.Of(catalog).Register(nameof(LoadImageStore));
        using var channel = host.Start("Decoding");
        var decoders = new ImageDecoders(preprocessing, reading.MaxMegapixels);
        BrokenImagePolicy broken = reading.BrokenImages ?? BrokenImagePolicy.Fail;
        var loader = new ImageStoreLoader(decoders, broken, host, channel, cancellationToken, reading.Cache, distributed);
        return loader.Load(data, inputColumnName);
    }
}
