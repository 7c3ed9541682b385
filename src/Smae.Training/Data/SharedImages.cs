namespace Smae.Training;

/// <summary>
/// Decoded images on their way into one file for all ranks of a host, which all of them map: each rank decodes some of the rows, and none is decoded twice on a
/// host. Made by <see cref="ImageCache.Share"/>. All ranks make the same calls, but for <see cref="Write"/>.
/// </summary>
public sealed class SharedImages : IDisposable
{
    private const int RowsInTurn = 64;
    private readonly ImagePreprocessing _preprocessing;
    private readonly Ranks _ranks;
    private readonly int[] _local;   // the ranks of this host, those that share its images where there are others
    private readonly int _place;     // of this one among them
    private readonly string _path;
    private readonly ImageFile? _file;   // of the host's first rank
    private readonly FileStream _stream;
    private bool _isComplete;

    /// <param name="list">What tells the images from those of another shard.</param>
    /// <param name="create">Makes the file, on the first rank of each host.</param>
    internal SharedImages(ImagePreprocessing preprocessing, Ranks ranks, string list, Func<ImageFile> create)
    {
        (_preprocessing, _ranks) = (preprocessing, ranks);
        ranks.FindShards(() => list);
        _local = [.. ranks.OnThisHost.Intersect(ranks.Sharing)];
        _place = Array.IndexOf(_local, ranks.Rank);
        _file = _place == 0 ? create() : null;
        _path = ranks.Texts(_file?.Path ?? "", "the file of decoded images")[_local[0]];
        _stream = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, 0);
    }

    /// <summary>Whether this rank decodes a row.</summary>
    public bool IsMine(long row) => row / RowsInTurn % _local.Length == _place;

    /// <summary>Puts an image into its row.</summary>
    /// <param name="pixels"><c>[height, width, channels]</c>.</param>
    /// <exception cref="IOException">The disk is full, say.</exception>
    public void Write(long row, ReadOnlySpan<byte> pixels) => RandomAccess.Write(_stream.SafeFileHandle, pixels, row * _preprocessing.ByteCount);

    /// <summary>Sees to it that the ranks name the same images, all of them or those of a shard.</summary>
    /// <exception cref="ArgumentException">They do not; the message says what differs, and between whom.</exception>
    internal void CheckSame(string name, string list)
    {
        if (!_ranks.AreSharded) _ranks.CheckSame([(name, list)], Ranks.OwnImages);
    }

    /// <summary>Waits for the others and gives all images but those that are broken on any rank that shares them.</summary>
    /// <param name="rows">Rows, on all ranks as many.</param>
    /// <param name="broken">What this rank found.</param>
    /// <param name="isLasting">Whether that depends on the files alone.</param>
    /// <param name="stamp">See <see cref="ImageCacheFooter"/>.</param>
    /// <param name="keep">
    /// Done with the file, by its name, on the first rank of a host, before it is opened; it may give it another name, which it returns. Null keeps it as it is.
    /// </param>
    /// <exception cref="InvalidDataException">No image is left.</exception>
    internal (ImageStore Images, IReadOnlyList<CachedProblem> Broken) Complete(
        long rows, IEnumerable<CachedProblem> broken, bool isLasting, string stamp, Func<string, string?>? keep)
    {
        int[] sharing = _ranks.Sharing;
        IReadOnlyList<CachedProblem> all = [.. _ranks.OfAll(broken.ToArray(), "the images that could not be read").Where((_, rank) => sharing.Contains(rank))
            .SelectMany(b => b).DistinctBy(b => b.Row).OrderBy(b => b.Row)];
        if (all.Count == rows) throw new InvalidDataException($"None of the {rows} images could be read. The first: {all[0].Message}");
        bool lasts = !_ranks.Any(!isLasting, "whether the images may be kept");
        _stream.Dispose();
        string path = _path;
        bool isKept = false;
        if (_file is not null)
        {
            Close(rows, all);
            _file.Complete((rows - all.Count) * _preprocessing.ByteCount);
            new ImageCacheFooter(_preprocessing.Height, _preprocessing.Width, _preprocessing.Channels, rows - all.Count, stamp, all).Write(_file);
            _file.Flush();
            _file.Dispose();
            if (lasts && keep?.Invoke(_path) is { } kept) (path, isKept) = (kept, true);
        }
        path = _ranks.Texts(path, "the decoded images")[_local[0]];
        bool isTemporary = _place == 0 && !isKept;
        (ImageStore images, _) = ImageStore.Open(path, isTemporary && OperatingSystem.IsWindows());
        _ranks.Any(false, "all ranks to map the decoded images");
        if (isTemporary && !OperatingSystem.IsWindows()) File.Delete(path);   // it stays until the last rank ends, however it does
        _isComplete = true;
        return (images, all);
    }

    /// <summary>Deletes the file of a load that failed.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        _file?.Dispose();
        if (_file is not null && !_isComplete) File.Delete(_file.Path);
    }

    /// <summary>Closes the gaps that broken images leave.</summary>
    private void Close(long rows, IReadOnlyList<CachedProblem> broken)
    {
        if (broken.Count == 0) return;
        var gaps = broken.Select(b => b.Row).ToHashSet();
        var image = new byte[_preprocessing.ByteCount];
        long to = broken[0].Row;
        for (long row = to; row < rows; row++)
        {
            if (gaps.Contains(row)) continue;
            _file!.Read(row * image.Length, image);
            _file.Write(to++ * image.Length, image);
        }
    }
}
