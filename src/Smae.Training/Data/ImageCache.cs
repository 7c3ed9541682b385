namespace Smae.Training;

/// <summary>
/// Decoded images of files on their way into an <see cref="ImageStore"/>, kept from run to run where the options name a folder. For one load: ask
/// <see cref="Find"/> first; where it finds nothing, fill the store of <see cref="CreateStore"/>, tell each file by <see cref="Add"/> before it is decoded,
/// then call <see cref="Complete(ImageStore)"/>.
/// </summary>
/// <param name="info">Told what is kept and used again. Default null.</param>
/// <param name="warning">Told what is passed over and why. Default null.</param>
public sealed class ImageCache(
    ImagePreprocessing preprocessing, ImageCacheOptions options, Action<string>? info = null, Action<string>? warning = null) : IDisposable
{
    private ImageCacheKey? _wanted, _read;
    private readonly List<CachedProblem> _broken = [];
    private bool _isLasting = true;

    /// <summary>The images that an earlier run kept of these files, if none of them has changed since.</summary>
    /// <param name="paths">The files, in the order of the images.</param>
    /// <returns>The images, whose store the caller disposes, and what is broken; null where nothing is kept, and the images are to be decoded.</returns>
    public (ImageStore Images, IReadOnlyList<CachedProblem> Broken)? Find(IEnumerable<string> paths)
    {
        if (options.Directory is null) return null;
        (_wanted, _read) = (new ImageCacheKey(preprocessing), new ImageCacheKey(preprocessing));
        foreach (string file in paths) _wanted.Add(file);
        string path = PathOf(_wanted);
        if (_wanted.Count == 0 || !File.Exists(path)) return null;
        try
        {
            (ImageStore store, ImageCacheFooter footer) = ImageStore.Open(path);
            bool fits = (footer.Height, footer.Width, footer.Channels) == (preprocessing.Height, preprocessing.Width, preprocessing.Channels)
                && footer.Count + footer.Broken.Count == _wanted.Count && footer.Stamp == _wanted.Stamp;
            bool canBeRead = fits && footer.Broken.Any(b => b.UnreadPath is { } unread && CanBeRead(unread));
            if (fits && !canBeRead)
            {
                info?.Invoke($"{store.Count} decoded images of an earlier run are read from {path}.");
                return (store, footer.Broken);
            }
            store.Dispose();
            info?.Invoke($"Image files {(canBeRead ? "can be read that could not" : "have changed")} since {path} was made: decoding them anew.");
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            warning?.Invoke($"{e.Message} It is passed over, and the images are decoded anew.");
        }
        return null;
    }

    /// <summary>An empty store, whose images are written to a file as well where they are to be kept. The caller disposes it.</summary>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    public ImageStore CreateStore()
    {
        ImageFile? file = _wanted is null ? null : ImageFile.TryCreate(PathOf(_wanted) + ".tmp");
        if (_wanted is not null && file is null) info?.Invoke($"Another run is writing {PathOf(_wanted)}: this one keeps no images.");
        return new ImageStore(preprocessing.Height, preprocessing.Width, preprocessing.Channels, options, file);
    }

    /// <summary>In place of <see cref="CreateStore"/> where several processes load the same images, or each host its shard: all ranks call this.</summary>
    /// <param name="list">What tells the images from those of another shard: ranks of a host that give the same share them.</param>
    /// <exception cref="IOException">The folder cannot be made.</exception>
    public SharedImages Share(DataParallel ranks, string list) =>
        new(preprocessing, DataParallel.Connect(ranks), list, () => ImageFile.CreateTemporary(options.Directory, shared: true));

    /// <summary>
    /// In place of <see cref="Complete(ImageStore)"/> for images that were loaded together: gives those that no rank found broken, on all ranks the same, and keeps
    /// them for the next run where that was the intention.
    /// </summary>
    /// <param name="name">What the images are called where ranks have others.</param>
    /// <param name="list">What tells them from others, as they came.</param>
    /// <param name="rows">Rows, on all ranks as many.</param>
    /// <returns>The images, whose store the caller disposes, and what was broken on any rank.</returns>
    /// <exception cref="ArgumentException">The ranks have other files.</exception>
    /// <exception cref="InvalidDataException">No image is left.</exception>
    public (ImageStore Images, IReadOnlyList<CachedProblem> Broken) Complete(SharedImages images, string name, string list, long rows)
    {
        images.CheckSame(name, list);
        bool keeps = _wanted is not null && (_read!.Name, _read.Stamp) == (_wanted.Name, _wanted.Stamp);
        return images.Complete(rows, _broken, _isLasting, keeps ? _wanted!.Stamp : "", keeps ? path => Move(path, PathOf(_wanted!)) : null);
    }

    /// <returns>The new name, or null where it cannot be given.</returns>
    private string? Move(string from, string to)
    {
        try
        {
            File.Move(from, to, overwrite: true);
            info?.Invoke($"The decoded images are kept in {to}.");
            return to;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            warning?.Invoke($"{to} cannot be kept for the next run: {e.Message}");
            return null;
        }
    }

    /// <summary>Tells which file comes next, before it is decoded: one that changes meanwhile is then another one to the next run.</summary>
    public void Add(string path) => _read?.Add(path);

    /// <summary>Tells that an image is not in the store.</summary>
    /// <param name="row">Which of the files, counted from 0.</param>
    /// <param name="message">Why.</param>
    /// <param name="unreadPath">
    /// The file where its content was not seen, because another process held it, say: the next run tries it again. Default null: the content is no image.
    /// </param>
    /// <param name="isLasting">Whether that depends on the files alone; else, a limit of this run's options say, nothing is kept. Default true.</param>
    public void AddBroken(long row, string message, string? unreadPath = null, bool isLasting = true)
    {
        _broken.Add(new CachedProblem(row, message, unreadPath));
        _isLasting &= isLasting;
    }

    /// <summary>Keeps the images for the next run, where that was the intention and the files are those that <see cref="Find"/> was asked for.</summary>
    public void Complete(ImageStore store)
    {
        if (_wanted is not null && _isLasting && store.WritesAll)
        {
            string path = PathOf(_wanted);
            if ((_read!.Name, _read.Stamp) != (_wanted.Name, _wanted.Stamp))
                warning?.Invoke($"Rows come in another order each time, or image files changed while they were read: {path} is not kept.");
            else if (store.Keep(path, _wanted.Stamp, _broken) is { } problem) warning?.Invoke($"{path} cannot be kept for the next run: {problem}");
            else info?.Invoke($"The decoded images are kept in {path}.");
        }
        else if (_wanted is not null && store.WriteFault is { } fault) warning?.Invoke($"{PathOf(_wanted)} cannot be kept for the next run: {fault}");
        if (store.MappedBytes > 0) info?.Invoke($"{store.MappedBytes >> 20} MiB of decoded images are beyond the memory budget and lie in a file.");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _wanted?.Dispose();
        _read?.Dispose();
    }

    /// <summary>Whether a file that an earlier run could not read can be read now, to its end.</summary>
    private static bool CanBeRead(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            file.CopyTo(Stream.Null);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private string PathOf(ImageCacheKey key) => Path.GetFullPath(Path.Combine(options.Directory!, key.Name[..32] + ".images"));
}
