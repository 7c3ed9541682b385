using System.Collections.Concurrent;

namespace Microsoft.ML.Data;

/// <summary>Takes batches from several queues, the one with the least number first.</summary>
internal sealed class BatchMerge
{
    private readonly RowBatch[] _heads;

    public BatchMerge(int count, int batchesAhead)
    {
        Queues = [.. Enumerable.Range(0, count).Select(_ => new BlockingCollection<RowBatch>(Math.Max(1, batchesAhead / 2)))];
        _heads = new RowBatch[count];
    }

    public BlockingCollection<RowBatch>[] Queues { get; }

    public RowBatch Next()
    {
        int least = 0;
        for (int i = 0; i < _heads.Length; i++)
        {
            // Every queue must show its next batch: the least number may be in the slowest.
            _heads[i] ??= Queues[i].Take();
            if (_heads[i].Id < _heads[least].Id)
                least = i;
        }

        RowBatch next = _heads[least];
        if (!next.IsEnd)
            _heads[least] = null;
        return next;
    }
}
