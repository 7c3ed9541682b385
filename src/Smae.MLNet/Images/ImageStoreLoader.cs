using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using static System.FormattableString;

namespace Smae.MLNet;

/// <summary>Reads image columns of data views into image stores, in the order of the rows; every image is decoded once.</summary>
/// <param name="cache">Where the decoded images lie; null takes every option's default.</param>
/// <param name="ranks">The processes that load the same images together; null is this one alone.</param>
internal sealed class ImageStoreLoader(
    ImageDecoders decoders, BrokenImagePolicy policy, IHost host, IChannel channel, CancellationToken cancellation, ImageCacheOptions? cache = null,
    DataParallel? ranks = null)
{
    private const int ChunkImages = 256;
    private const int ChunkBytes = 64 << 20;
    private static readonly TimeSpan s_reportEvery = TimeSpan.FromSeconds(5);
    private readonly int _chunk = Math.Clamp(ChunkBytes / decoders.Preprocessing.ByteCount, 1, ChunkImages);   // images decoded together

    /// <summary>Decodes the images of a column.</summary>
    /// <returns>A new store of the good images: the caller disposes it.</returns>
    public ImageStore Load(IDataView data, string columnName)
    {
        var (column, kind) = ImageColumn.Find(data.Schema, columnName);
        return Read(new Rows(data, column, kind, null), $"'{columnName}'");
    }

    /// <summary>Decodes the images of a column whose rows have a label.</summary>
    /// <param name="dataName">What messages call the data.</param>
    /// <returns>Good images and their labels: the caller disposes the images.</returns>
    public LabelledImages Load(IDataView data, string columnName, LabelReader labels, string dataName)
    {
        var (column, kind) = ImageColumn.Find(data.Schema, columnName, "feature");
        var rows = new Rows(data, column, kind, labels);
        return Read(rows, $"'{columnName}' of the {dataName} data").OrDispose(store =>
        {
            if (rows.MissingLabels > 0 && ranks is not { IsFirst: false })
                channel.Warning(
                    MessageSensitivity.None,
                    $"{rows.MissingLabels} rows of the {dataName} data have no label in column '{labels.Column.Name}'{labels.OrNotAClass}: left out.");
            return new LabelledImages(store, rows.KeptLabels) { MayLackClasses = true };
        });
    }

    private ImageStore Read(Rows rows, string source)
    {
        // Only files can be told to be the same in the next run.
        ImageCacheOptions options = cache ?? new ImageCacheOptions();
        // The same paths are other files on another host's shard.
        if (ranks is { Sharded: true } && options.Directory is { } directory) options = options with { Directory = Path.Combine(directory, Environment.MachineName) };
        using var kept = new ImageCache(
            decoders.Preprocessing, options, message => channel.Info(MessageSensitivity.UserData, message),
            message => channel.Warning(MessageSensitivity.UserData, message));
        if (ranks is { Count: > 1 } several) return several.Together(() => ReadTogether(rows, source, kept, several));
        if (rows.Kind == ImageColumnKind.Path && kept.Find(Paths(rows)) is var (earlier, problems)) return Reuse(rows, earlier, problems);

        using var cursor = rows.Open(out var reader);
        var broken = CreateReport();
        return kept.CreateStore().OrDispose(store =>
        {
            var batch = new ImageBatch(decoders, reader, _chunk);
            var watch = Stopwatch.StartNew();
            var reported = TimeSpan.Zero;
            string of = rows.Data.GetRowCount() is { } all ? $" of {all}" : "";
            long total = 0;
            while (Fill(batch, cursor, rows))
            {
                cancellation.ThrowIfCancellationRequested();
                for (int i = 0; i < batch.Count && rows.Kind == ImageColumnKind.Path; i++) kept.Add(batch.Name(i));
                batch.Decode(cancellation);
                for (int i = 0; i < batch.Count; i++)
                {
                    if (batch.Problem(i) is { } problem)
                    {
                        broken.Add(problem);
                        AddBroken(kept, total + i, problem, batch.Name(i));
                        continue;
                    }
                    store.Add(batch.Image(i));
                    rows.KeepLabel(i);
                }
                total += batch.Count;
                if (watch.Elapsed - reported >= s_reportEvery)
                {
                    reported = watch.Elapsed;
                    Report($"{total}{of} images decoded", total, watch);
                }
            }
            broken.Summarise(total);
            if (total == 0 && rows.MissingLabels > 0)
                throw new InvalidDataException($"None of the {rows.MissingLabels} rows with images in column {source} has a label.");
            if (total == 0) throw new InvalidDataException($"Column {source} has no rows: expected at least one image.");
            if (store.Count == 0)
                throw new InvalidDataException(
                    $"None of the {total} images of column {source} could be read. The first: {broken.First!.Message}", broken.First);
            Report(Invariant($"{total} images decoded in {watch.Elapsed.TotalSeconds:0.0} s"), total, watch);
            kept.Complete(store);
            return store;
        });
    }

    /// <summary>The images of a column that all ranks have, or those of a host its shard: each decodes its share, all get all.</summary>
    private ImageStore ReadTogether(Rows rows, string source, ImageCache kept, DataParallel ranks)
    {
        var found = rows.Kind == ImageColumnKind.Path ? kept.Find(Paths(rows)) : null;
        string shard = ranks.Sharded ? ListOf(rows) : "";
        if (!ranks.Any(found is null)) return Reuse(rows, found!.Value.Images, found.Value.Broken, shard);
        found?.Images.Dispose();

        using var images = kept.Share(ranks, shard);
        using var names = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var cursor = rows.Open(out var reader);
        var batch = new ImageBatch(decoders, reader, _chunk);
        var taken = new List<long>();
        var watch = Stopwatch.StartNew();
        var reported = TimeSpan.Zero;
        long total = 0;
        while (cursor.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            if (!rows.TakeLabel()) continue;
            if (rows.Kind == ImageColumnKind.Path)
            {
                string path = reader.Path();
                kept.Add(path);
                names.AppendData(Encoding.UTF8.GetBytes(path + '\0'));
            }
            if (images.IsMine(total))
            {
                batch.Take();
                taken.Add(total);
            }
            total++;
            if (batch.Count == batch.Capacity) Decode();
        }
        Decode();
        string list = ListOf(total, names);
        if (ranks.Sharded && list != shard) throw new InvalidDataException($"Column {source} has its rows in another order each time: {shard}, then {list}.");
        if (ranks.Any(total == 0))
            throw new InvalidDataException(
                $"Column {source} has no rows with an image and a label{(total > 0 ? " on another rank" : "")}: expected at least one.");
        var (store, broken) = kept.Complete(images, $"Column {source}", list, total);
        if (ranks.IsFirst) Report(Invariant($"{total} images decoded in {watch.Elapsed.TotalSeconds:0.0} s"), total, watch);
        return Reuse(rows, store, broken, shard);

        void Decode()
        {
            if (batch.Count == 0) return;
            batch.Decode(cancellation);
            for (int i = 0; i < batch.Count; i++)
            {
                if (batch.Problem(i) is not { } problem) images.Write(taken[i], batch.Image(i));
                else AddBroken(kept, taken[i], problem, batch.Name(i));
            }
            batch.Clear();
            taken.Clear();
            if (!ranks.IsFirst || watch.Elapsed - reported < s_reportEvery) return;
            reported = watch.Elapsed;
            Report($"{total} images decoded", total, watch);
        }
    }

    /// <summary>The paths of the rows with a label, whose labels are taken.</summary>
    private IEnumerable<string> Paths(Rows rows)
    {
        using var cursor = rows.Open(out var reader);
        while (cursor.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            if (rows.TakeLabel()) yield return reader.Path();
        }
    }

    /// <summary>What the images of a column are, for people and to be compared.</summary>
    private string ListOf(Rows rows)
    {
        using var names = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var cursor = rows.Open(out var reader);
        long total = 0;
        while (cursor.MoveNext())
        {
            if (!rows.TakeLabel()) continue;
            if (rows.Kind == ImageColumnKind.Path) names.AppendData(Encoding.UTF8.GetBytes(reader.Path() + '\0'));
            total++;
        }
        return ListOf(total, names);
    }

    private static string ListOf(long total, IncrementalHash names) => Invariant($"{total} images, {Convert.ToHexStringLower(names.GetHashAndReset())[..16]}");

    /// <summary>The images as an earlier run left them, with the same warnings or errors as then.</summary>
    /// <param name="shard">What tells this rank's images from those of ranks with others.</param>
    private ImageStore Reuse(Rows rows, ImageStore kept, IReadOnlyList<CachedProblem> problems, string shard = "") => kept.OrDispose(store =>
    {
        var messages = problems.ToDictionary(problem => problem.Row, problem => problem.Message);
        var broken = CreateReport();
        long total = store.Count + problems.Count;
        for (int row = 0; row < total; row++)
        {
            if (messages.TryGetValue(row, out string? message)) broken.Add(new InvalidDataException(message));
            else rows.KeepLabel(row);
        }
        if (ranks is { Sharded: true, Count: > 1 })
        {
            var all = ranks.OfAll(new Shard(Environment.MachineName, shard, total, [.. messages.Values]));
            foreach (Shard other in all.DistinctBy(s => s.Key).Where(s => s.Key != all[ranks.Rank].Key))
            {
                foreach (string message in other.Broken) broken.Add(new InvalidDataException($"{other.Host}: {message}"));
                total += other.Images;
            }
        }
        broken.Summarise(total);
        return store;
    });

    /// <summary>What a rank has read, where each host has images of its own.</summary>
    private sealed record Shard(string Host, string List, long Images, string[] Broken)
    {
        /// <summary>Ranks of a host with the same images share them.</summary>
        public (string, string) Key => (Host, List);
    }

    private static void AddBroken(ImageCache kept, long row, InvalidDataException problem, string name)
    {
        // Whether a file could be read says nothing of its content: the next run tries it again.
        bool isUnread = problem.InnerException is IOException or UnauthorizedAccessException;
        // What is too large for these options may not be for the next run's.
        kept.AddBroken(row, problem.Message, isUnread ? name : null, isLasting: isUnread || problem.InnerException is null);
    }

    private BrokenImageReport CreateReport() => new(policy, host, "left out", isQuiet: ranks is { IsFirst: false });

    private void Report(string text, long done, Stopwatch watch) =>
        channel.Info(MessageSensitivity.None, Invariant($"{text}, {done / Math.Max(watch.Elapsed.TotalSeconds, 1e-3):0} images/s"));

    private static bool Fill(ImageBatch batch, DataViewRowCursor cursor, Rows rows)
    {
        batch.Clear();
        rows.ClearLabels();
        while (batch.Count < batch.Capacity && cursor.MoveNext())
            if (rows.TakeLabel()) batch.Take();
        return batch.Count > 0;
    }

    /// <summary>Rows with images, and with labels where these are wanted, which are kept in step with the images.</summary>
    private sealed class Rows(IDataView data, DataViewSchema.Column images, ImageColumnKind kind, LabelReader? labels)
    {
        private readonly List<int> _taken = [];
        private Func<int>? _current;

        public IDataView Data => data;

        public ImageColumnKind Kind => kind;

        /// <summary>The labels of the images that were kept.</summary>
        public List<int> KeptLabels { get; } = [];

        public long MissingLabels { get; private set; }

        /// <summary>Goes over the rows from the first.</summary>
        public DataViewRowCursor Open(out ImageReader reader)
        {
            var cursor = data.GetRowCursor(labels is null ? [images] : [images, labels.Column]);
            reader = new ImageReader(cursor, images, kind);
            _current = labels?.Open(cursor);
            MissingLabels = 0;
            _taken.Clear();
            return cursor;
        }

        /// <summary>Takes the label of the row as it stands.</summary>
        /// <returns>Whether it has one, or none is wanted.</returns>
        public bool TakeLabel()
        {
            if (_current is null) return true;
            int label = _current();
            if (label < 0)
            {
                MissingLabels++;
                return false;
            }
            _taken.Add(label);
            return true;
        }

        /// <summary>Keeps the label of the row that was taken as number <paramref name="index"/> since the last <see cref="ClearLabels"/>.</summary>
        public void KeepLabel(int index)
        {
            if (_current is not null) KeptLabels.Add(_taken[index]);
        }

        public void ClearLabels() => _taken.Clear();
    }
}
