using System.Buffers;

namespace Smae.MLNet;

/// <summary>Embeds a batch.</summary>
/// <param name="images">The images' pixels one after the other.</param>
/// <param name="outputs">Takes the embeddings one after the other.</param>
internal delegate void EmbedBatch(ReadOnlySpan<byte> images, int count, Span<float> outputs);

/// <summary>
/// Brings images of concurrent calls together: while a batch is being computed others queue up, and the next batch takes them in their order. One batch is
/// computed at a time, since each uses all cores or the GPU; nobody waits for a batch to fill.
/// </summary>
internal sealed class BatchQueue(EmbedBatch embed, int imageBytes, int dimensions, int batchSize)
{
    private readonly Lock _lock = new();
    private readonly Queue<Item> _waiting = [];
    private byte[] _pixels = [];
    private float[] _outputs = [];
    private bool _working;
    private Exception? _closed;

    /// <summary>Batches begun so far.</summary>
    public long BatchCount { get; private set; }

    /// <summary>Images in them.</summary>
    public long ImageCount { get; private set; }

    public int WaitingCount
    {
        get
        {
            lock (_lock) return _waiting.Count;
        }
    }

    /// <summary>Queues the images of a call.</summary>
    /// <param name="pixels">A rented array for each, which is given back.</param>
    /// <param name="cancellation">Takes the images out of the queue; the caller need not wait for that.</param>
    /// <returns>An embedding for each.</returns>
    public Task<float[][]> Run(byte[][] pixels, CancellationToken cancellation)
    {
        Item[] items = [.. pixels.Select(image => new Item(image, cancellation))];
        lock (_lock)
        {
            if (_closed is not null) return Task.FromException<float[][]>(_closed);
            foreach (Item item in items) _waiting.Enqueue(item);
            if (!_working)
            {
                _working = true;
                ThreadPool.UnsafeQueueUserWorkItem(static queue => queue.Work(), this, preferLocal: false);
            }
        }
        return Task.WhenAll(items.Select(item => item.Embedding.Task));
    }

    /// <summary>Fails what waits and all that comes. A batch that is being computed ends well.</summary>
    public void Close(Exception reason)
    {
        Item[] left;
        lock (_lock)
        {
            _closed = reason;
            left = [.. _waiting];
            _waiting.Clear();
        }
        foreach (Item item in left) item.Embedding.TrySetException(reason);
    }

    private void Work()
    {
        List<Item> batch = [];
        while (Take(batch))
        {
            try
            {
                Compute(batch);
            }
            catch (Exception exception)   // the callers', not this thread's: the next batch may do better
            {
                foreach (Item item in batch) item.Embedding.TrySetException(exception);
            }
        }
    }

    /// <summary>Takes the next batch from the queue; false, and the work ends, where there is none.</summary>
    private bool Take(List<Item> batch)
    {
        batch.Clear();
        lock (_lock)
        {
            while (batch.Count < batchSize && _waiting.TryDequeue(out Item? item))
            {
                if (!item.Cancellation.IsCancellationRequested) batch.Add(item);
                else
                {
                    ArrayPool<byte>.Shared.Return(item.Pixels);
                    item.Embedding.TrySetCanceled(item.Cancellation);
                }
            }
            return _working = batch.Count > 0;
        }
    }

    private void Compute(List<Item> batch)
    {
        int count = batch.Count;
        if (_pixels.Length < count * imageBytes) (_pixels, _outputs) = (new byte[count * imageBytes], new float[count * dimensions]);
        for (int i = 0; i < count; i++)
        {
            batch[i].Pixels.AsSpan(0, imageBytes).CopyTo(_pixels.AsSpan(i * imageBytes));
            ArrayPool<byte>.Shared.Return(batch[i].Pixels);
        }
        (BatchCount, ImageCount) = (BatchCount + 1, ImageCount + count);
        embed(_pixels.AsSpan(0, count * imageBytes), count, _outputs.AsSpan(0, count * dimensions));
        for (int i = 0; i < count; i++) batch[i].Embedding.TrySetResult(_outputs.AsSpan(i * dimensions, dimensions).ToArray());
    }

    private sealed class Item(byte[] pixels, CancellationToken cancellation)
    {
        public byte[] Pixels => pixels;

        public CancellationToken Cancellation => cancellation;

        // A caller's continuation must not run in the middle of a batch.
        public TaskCompletionSource<float[]> Embedding { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
