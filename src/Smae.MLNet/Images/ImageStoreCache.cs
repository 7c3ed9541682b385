using Microsoft.ML.Runtime;
using Smae.Training;

namespace Smae.MLNet;

/// <summary>Makes stores of decoded images, and keeps those of image files from run to run where the options say so.</summary>
/// <param name="preprocessing">Size of the images.</param>
/// <param name="options">Where they lie.</param>
/// <param name="channel">Told what is kept, used again and passed over.</param>
internal sealed class ImageStoreCache(ImagePreprocessing preprocessing, ImageCacheOptions options, IChannel channel)
{
    /// <summary>Whether images of such a column are kept.</summary>
    public bool Keeps(ImageColumnKind kind) => options.Directory is not null && kind == ImageColumnKind.Path;

    /// <summary>The images that an earlier run kept, if they are those that are wanted.</summary>
    public (ImageStore Store, ImageCacheFooter Footer)? Find(ImageCacheKey wanted)
    {
        string path = PathOf(wanted);
        if (!File.Exists(path))
            return null;
        try
        {
            var (store, footer) = ImageStore.Open(path);
            bool fits = (footer.Height, footer.Width, footer.Channels) == (preprocessing.Height, preprocessing.Width, preprocessing.Channels)
                && footer.Count + footer.Broken.Count == wanted.Count;
            if (fits && footer.Stamp == wanted.Stamp)
            {
                Info($"{store.Count} decoded images of an earlier run are read from {path}.");
                return (store, footer);
            }
            store.Dispose();
            Info($"Image files have changed since {path} was made: decoding them anew.");
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            Warn($"{exception.Message} It is passed over, and the images are decoded anew.");
        }
        return null;
    }

    /// <summary>An empty store, whose images are written to a file where they are to be kept.</summary>
    /// <param name="wanted">What they are made of; null where they are not kept.</param>
    public ImageStore CreateStore(ImageCacheKey? wanted)
    {
        ImageFile? file = wanted is null ? null : ImageFile.TryCreate(PathOf(wanted) + ".tmp");
        if (wanted is not null && file is null)
            Info($"Another run is writing {PathOf(wanted)}: this one keeps no images.");
        return new ImageStore(preprocessing.Height, preprocessing.Width, preprocessing.Channels, options, file);
    }

    /// <summary>Keeps the images of a store, if that was the intention.</summary>
    /// <param name="store">The store, with all images.</param>
    /// <param name="wanted">What they were to be made of; null where they are not kept.</param>
    /// <param name="read">What they were made of.</param>
    /// <param name="broken">Those that could not be read.</param>
    public void Complete(ImageStore store, ImageCacheKey? wanted, ImageCacheKey? read, IReadOnlyList<CachedProblem> broken)
    {
        if (wanted is not null && store.WritesAll)
        {
            string path = PathOf(wanted);
            if ((read!.Name, read.Stamp) != (wanted.Name, wanted.Stamp))
                Warn($"Rows come in another order each time, or image files changed while they were read: {path} is not kept.");
            else if (store.Keep(path, wanted.Stamp, broken) is { } problem)
                Warn($"{path} cannot be kept for the next run: {problem}");
            else
                Info($"The decoded images are kept in {path}.");
        }
        if (store.MappedBytes > 0)
            Info($"{store.MappedBytes >> 20} MiB of decoded images are beyond the memory budget and lie in a file.");
    }

    private string PathOf(ImageCacheKey key) => Path.GetFullPath(Path.Combine(options.Directory!, key.Name[..32] + ".images"));

    private void Info(string message) => channel.Info(MessageSensitivity.UserData, message);

    private void Warn(string message) => channel.Warning(MessageSensitivity.UserData, message);
}
