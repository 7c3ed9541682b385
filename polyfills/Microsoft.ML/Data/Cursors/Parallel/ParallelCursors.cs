using System.Collections.Concurrent;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>
/// Splits a cursor among threads and joins cursors that run on threads, in the order of their batches.
/// As in ML.NET, rows are then computed ahead of the reader, all active columns of them.
/// </summary>
internal static class ParallelCursors
{
    private const int RowsPerBatch = 128;
    private const int BatchesAhead = 4;

    public static int ThreadCount => Math.Max(2, Environment.ProcessorCount - 1);

    /// <summary>Whether values of these columns may be kept: images, for one, may not.</summary>
    public static bool AllCacheable(IEnumerable<DataViewSchema.Column> columns) => columns.All(c => IsCacheable(c.Type));

    public static bool IsCacheable(this DataViewType type) => type is PrimitiveDataViewType or VectorDataViewType;

    /// <summary>Cursors that share the rows of one, which is read by a thread of its own.</summary>
    public static DataViewRowCursor[] Split(IChannelProvider provider, DataViewRowCursor input, int count)
    {
        if (count <= 1 || !AllCacheable(input.Schema.Where(input.IsColumnActive)))
            return [input];

        DataViewSchema schema = input.Schema;
        bool[] active = ActiveIn(input);
        var pools = new BatchPools(schema, active);
        var queue = new BlockingCollection<RowBatch>(BatchesAhead);
        var stop = new CancellationTokenSource();
        Task reader = RunOnThread(() => ReadAhead(input, pools, queue, stop.Token));
        int running = count;
        return [.. Enumerable.Range(0, count).Select(_ => new BatchCursor(provider, schema, active, pools, Next, Quit))];

        RowBatch Next()
        {
            RowBatch batch = queue.Take();
            // The end is for every cursor to see.
            if (batch.IsEnd)
                queue.Add(batch);
            return batch;
        }

        void Quit()
        {
            if (Interlocked.Decrement(ref running) > 0)
                return;
            stop.Cancel();
            reader.Wait();
        }
    }

    /// <summary>One cursor over the rows of several, each of which is read by a thread of its own.</summary>
    public static DataViewRowCursor Consolidate(IChannelProvider provider, DataViewRowCursor[] inputs)
    {
        if (inputs.Length == 1)
            return inputs[0];

        DataViewSchema schema = inputs[0].Schema;
        bool[] active = ActiveIn(inputs[0]);
        var pools = new BatchPools(schema, active);
        var stop = new CancellationTokenSource();
        var merge = new BatchMerge(inputs.Length, BatchesAhead);
        Task[] workers = [.. inputs.Select((input, i) => RunOnThread(() => ReadBatches(input, pools, merge.Queues[i], stop.Token)))];
        return new BatchCursor(provider, schema, active, pools, merge.Next, Quit);

        void Quit()
        {
            stop.Cancel();
            Task.WaitAll(workers);
        }
    }

    private static bool[] ActiveIn(DataViewRow row) => [.. row.Schema.Select(row.IsColumnActive)];

    private static Task RunOnThread(Action action) =>
        Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void ReadAhead(DataViewRowCursor input, BatchPools pools, BlockingCollection<RowBatch> queue, CancellationToken stop) =>
        Guard(queue, stop, () =>
        {
            using (input)
            {
                BatchWriter writer = pools.CreateWriter(input);
                long id = 0;
                while (!stop.IsCancellationRequested && input.MoveNext())
                {
                    writer.AddRow();
                    if (writer.Count >= RowsPerBatch)
                        queue.Add(writer.Detach(id++), stop);
                }

                if (writer.Count > 0)
                    queue.Add(writer.Detach(id), stop);
            }
        });

    private static void ReadBatches(DataViewRowCursor input, BatchPools pools, BlockingCollection<RowBatch> queue, CancellationToken stop) =>
        Guard(queue, stop, () =>
        {
            using (input)
            {
                BatchWriter writer = pools.CreateWriter(input);
                long id = 0;
                while (!stop.IsCancellationRequested && input.MoveNext())
                {
                    if (writer.Count > 0 && input.Batch != id)
                        queue.Add(writer.Detach(id), stop);
                    id = input.Batch;
                    writer.AddRow();
                }

                if (writer.Count > 0)
                    queue.Add(writer.Detach(id), stop);
            }
        });

    /// <summary>Whatever happens, the queue gets its end, unless nobody reads it any more.</summary>
    private static void Guard(BlockingCollection<RowBatch> queue, CancellationToken stop, Action read)
    {
        RowBatch end = RowBatch.End;
        try
        {
            read();
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return;
        }
        catch (Exception ex)
        {
            end = RowBatch.Failure(ex);
        }

        try
        {
            queue.Add(end, stop);
        }
        catch (OperationCanceledException)
        {
        }
    }
}
