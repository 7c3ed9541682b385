using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using Smae.Training;
using static System.FormattableString;

namespace Smae.MLNet;

/// <summary>Reads the image column of a data view into an <see cref="ImageStore"/>, in the order of its rows.</summary>
internal static class ImageStoreLoader
{
    private const int ChunkImages = 256;
    private const int ChunkBytes = 64 << 20;
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(5);

    /// <summary>Decodes every image of the column <paramref name="columnName"/> once.</summary>
    /// <returns>A new store of the good images: the caller disposes it.</returns>
    /// <exception cref="InvalidDataException">No image could be read, or one could not and the policy is to fail.</exception>
    public static ImageStore Load(
        IDataView data, string columnName, ImageDecoders decoders, BrokenImagePolicy policy, IHost host, IChannel channel,
        CancellationToken cancellation)
    {
        var (column, kind) = ImageColumn.Find(data.Schema, columnName);
        var broken = new BrokenImageReport(policy, host, "left out");
        var store = decoders.CreateStore();
        try
        {
            using var cursor = data.GetRowCursor([column]);
            var reader = new ImageReader(cursor, column, kind);
            var batch = new ImageBatch(decoders, reader, Math.Clamp(ChunkBytes / decoders.ImageBytes, 1, ChunkImages));
            var progress = new Reporter(channel, data.GetRowCount());
            long total = 0;
            while (Fill(batch, cursor))
            {
                cancellation.ThrowIfCancellationRequested();
                batch.Decode(cancellation);
                for (int i = 0; i < batch.Count; i++)
                {
                    if (batch.Problem(i) is { } problem)
                        broken.Add(problem);
                    else
                        store.Add(batch.Image(i));
                }
                total += batch.Count;
                progress.Report(total);
            }
            broken.Summarise(total);
            if (total == 0)
                throw new InvalidDataException($"Column '{columnName}' has no rows: there is nothing to train on.");
            if (store.Count == 0)
            {
                throw new InvalidDataException(
                    $"None of the {total} images of column '{columnName}' could be read. The first: {broken.First!.Message}", broken.First);
            }
            progress.Finish(total);
            return store;
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    private static bool Fill(ImageBatch batch, DataViewRowCursor cursor)
    {
        batch.Clear();
        while (batch.Count < batch.Capacity && cursor.MoveNext())
            batch.Take();
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
