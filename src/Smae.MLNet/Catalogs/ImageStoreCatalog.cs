using Microsoft.ML;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>Decodes columns of images for use with <c>Smae.Training</c> itself: extensions of <see cref="MLContext.Data"/>.</summary>
public static class ImageStoreCatalog
{
    /// <summary>Decodes and resizes every image of a column, on all cores, as <c>MaePretrain</c> does before it trains.</summary>
    /// <param name="catalog">The catalog: <c>mlContext.Data</c>.</param>
    /// <param name="data">The data.</param>
    /// <param name="inputColumnName">The column of images: <c>MLImage</c>, paths (text) or encoded files (<c>Vector&lt;Byte&gt;</c>).</param>
    /// <param name="preprocessing">Size and channels that the images are brought to.</param>
    /// <param name="brokenImages">
    /// What happens with images that cannot be read. The default, <see cref="BrokenImagePolicy.Fail"/>, keeps the images in step with the rows.
    /// </param>
    /// <param name="cache">
    /// How much of the images may be in memory, and whether the next run may use them; null, the default, takes every option's default.
    /// </param>
    /// <param name="cancellationToken">Stops the work. Default none.</param>
    /// <returns>The images in the order of the rows; the caller disposes the store.</returns>
    /// <exception cref="ArgumentException">An option is out of range; the message names every one that is.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    /// <exception cref="InvalidDataException">No image could be read, or one could not and <paramref name="brokenImages"/> says to fail.</exception>
    public static ImageStore LoadImageStore(
        this DataOperationsCatalog catalog, IDataView data, string inputColumnName, ImagePreprocessing preprocessing,
        BrokenImagePolicy brokenImages = BrokenImagePolicy.Fail, ImageCacheOptions? cache = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentNullException.ThrowIfNull(preprocessing);
        Guard.NoFaults(cache?.Faults() ?? [], nameof(cache));
        var host = CatalogEnvironment.Of(catalog).Register(nameof(LoadImageStore));
        using var channel = host.Start("Decoding");
        var loader = new ImageStoreLoader(new ImageDecoders(preprocessing), brokenImages, host, channel, cancellationToken, cache);
        return loader.Load(data, inputColumnName);
    }
}
