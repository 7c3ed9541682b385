using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Smae.Training;
using static System.FormattableString;

namespace Smae.MLNet;

/// <summary>Reads image columns of data views into image stores, in the order of the rows; every image is decoded once.</summary>
/// <param name="decoders">What makes pixels of the images.</param>
/// <param name="policy">What happens with images that cannot be read.</param>
/// <param name="host">Where warnings go.</param>
/// <param name="channel">Where progress goes.</param>
/// <param name="cancellation">Stops the work.</param>
/// <param name="cache">Where the decoded images lie; null takes every option's default.</param>
internal sealed class ImageStoreLoader(
    ImageDecoders decoders, BrokenImagePolicy policy, IHost host, IChannel channel, CancellationToken cancellation, ImageCacheOptions? cache = null)
{
    private const int ChunkImages = 256;
    private const int ChunkBytes = 64 << 20;
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(5);

    private readonly ImageStoreCache _cache = new(decoders.Preprocessing, cache ?? new ImageCacheOptions(), channel);

    /// <summary>Decodes the images of a column.</summary>
    /// <returns>A new store of the good images: the caller disposes it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    /// <exception cref="InvalidDataException">No image could be read, or one could not and the policy is to fail.</exception>
    public ImageStore Load(IDataView data, string columnName)
    {
        var (column, kind) = ImageColumn.Find(data.Schema, columnName);
        return Read(new ImageRows(data, column, kind, null), $"'{columnName}'").Store;
    }

    /// <summary>Decodes the images of a column whose rows have a label.</summary>
    /// <param name="data">The data.</param>
    /// <param name="columnName">The column of images.</param>
    /// <param name="labels">Reads the labels.</param>
    /// <param name="dataName">What messages call the data.</param>
    /// <returns>Good images and their labels: the caller disposes the images.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column, or it does not hold images.</exception>
    /// <exception cref="InvalidDataException">
    /// No image could be read, or one could not and the policy is to fail, or no row has a label.
    /// </exception>
    public LabelledImages Load(IDataView data, string columnName, LabelReader labels, string dataName)
    {
        var (column, kind) = ImageColumn.Find(data.Schema, columnName, "feature");
        var (store, taken) = Read(new ImageRows(data, column, kind, labels), $"'{columnName}' of the {dataName} data");
        try
        {
            if (taken!.Missing > 0)
            {
                channel.Warning(
                    MessageSensitivity.None,
                    $"{taken.Missing} rows of the {dataName} data have no label in column '{labels.Column.Name}'{labels.OrNotAClass}: left out.");
            }
            return new LabelledImages(store, taken.Kept);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    private (ImageStore Store, RowLabels? Labels) Read(ImageRows rows, string source)
    {
        using ImageCacheKey? wanted = _cache.Keeps(rows.Kind) ? new ImageCacheKey(decoders.Preprocessing) : null;
        if (wanted is not null && Reuse(rows, wanted) is { } found)
            return found;
        using var read = wanted is null ? null : new ImageCacheKey(decoders.Preprocessing);
        using var cursor = rows.Open(out var reader, out var labels);
        var broken = CreateReport();
        var problems = new List<CachedProblem>();
        var store = _cache.CreateStore(wanted);
        try
        {
            var batch = new ImageBatch(decoders, reader, Math.Clamp(ChunkBytes / decoders.ImageBytes, 1, ChunkImages));
            var progress = new Reporter(channel, rows.Data.GetRowCount());
            long total = 0;
            while (Fill(batch, cursor, labels))
            {
                cancellation.ThrowIfCancellationRequested();
                // Before they are decoded: a file that changes meanwhile then is another one to the next run.
                for (int i = 0; i < batch.Count; i++)
                    read?.Add(batch.Name(i));
                batch.Decode(cancellation);
                for (int i = 0; i < batch.Count; i++)
                {
                    if (batch.Problem(i) is { } problem)
                    {
                        broken.Add(problem);
                        if (read is not null)
                            problems.Add(new CachedProblem(total + i, problem.Message));
                        continue;
                    }
                    store.Add(batch.Image(i));
                    labels?.Keep(i);
                }
                total += batch.Count;
                progress.Report(total);
            }
            broken.Summarise(total);
            if (total == 0 && labels is { Missing: > 0 })
                throw new InvalidDataException($"None of the {labels.Missing} rows with images in column {source} has a label.");
            if (total == 0)
                throw new InvalidDataException($"Column {source} has no rows: expected at least one image.");
            if (store.Count == 0)
            {
                throw new InvalidDataException(
                    $"None of the {total} images of column {source} could be read. The first: {broken.First!.Message}", broken.First);
            }
            progress.Finish(total);
            _cache.Complete(store, wanted, read, problems);
            return (store, labels);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <summary>The images as an earlier run left them, if it read the same files as they are now.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="wanted">Takes their paths.</param>
    private (ImageStore Store, RowLabels? Labels)? Reuse(ImageRows rows, ImageCacheKey wanted)
    {
        using var cursor = rows.Open(out var reader, out var labels);
        while (cursor.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            if (labels is null || labels.Take())
                wanted.Add(reader.Path());
        }
        if (wanted.Count == 0 || _cache.Find(wanted) is not var (store, footer))
            return null;
        try
        {
            var problems = footer.Broken.ToDictionary(problem => problem.Row, problem => problem.Message);
            var broken = CreateReport();
            for (int row = 0; row < wanted.Count; row++)
            {
                if (problems.TryGetValue(row, out string? problem))
                    broken.Add(new InvalidDataException(problem));
                else
                    labels?.Keep(row);
            }
            broken.Summarise(wanted.Count);
            return (store, labels);
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    private BrokenImageReport CreateReport() => new(policy, host, "left out");

    private static bool Fill(ImageBatch batch, DataViewRowCursor cursor, RowLabels? labels)
    {
        batch.Clear();
        labels?.Clear();
        while (batch.Count < batch.Capacity && cursor.MoveNext())
        {
            if (labels is null || labels.Take())
                batch.Take();
        }
        return batch.Count > 0;
    }

    private sealed class Reporter(IChannel channel, long? expected)
    {
        private readonly Stopwatch _watch = Stopwatch.StartNew();
        private TimeSpan _last;

        public void Report(long done)
        {
            if (_watch.Elapsed - _last < ReportEvery)
                return;
            _last = _watch.Elapsed;
            Write($"{done}{(expected is { } all ? $" of {all}" : "")} images decoded", done);
        }

        public void Finish(long done) => Write(Invariant($"{done} images decoded in {_watch.Elapsed.TotalSeconds:0.0} s"), done);

        private void Write(string text, long done) =>
            channel.Info(MessageSensitivity.None, Invariant($"{text}, {done / Math.Max(_watch.Elapsed.TotalSeconds, 1e-3):0} images/s"));
    }
}
