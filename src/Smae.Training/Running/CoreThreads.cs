using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// One thread for each of <see cref="NativeTuning.Threads"/>, each with a libtorch of one thread, for work on a CPU that can be cut into parts; where there
/// are more than <see cref="Most"/>, each has several of libtorch's. So no operation waits for another thread, and small parts stay in the processor's
/// cache: on two cores a step of training takes some 0.75 (float32) and 0.9 (bfloat16) of the time that it takes with two threads inside each operation.
/// </summary>
internal static class CoreThreads
{
    // Products of fewer rows run below the processor's rate; with more, what a block of the model makes outgrows the cache.
    private const int RowsPerPart = 1024;

    // In training each has gradients of its own, which are to be held and added up.
    private const int Most = 8;
    private static readonly BlockingCollection<Action> s_work = [];
    private static readonly Lazy<int> s_started = new(Start);
    [ThreadStatic] private static bool t_isOne;

    /// <summary>How many threads there are.</summary>
    public static int Count => Math.Min(NativeTuning.Threads, Most);

    /// <summary>How many parts images are best cut into for so many threads.</summary>
    /// <param name="images">Images.</param>
    /// <param name="rowsPerImage">Rows that an image adds to the model's matrix products, the tokens of a transformer.</param>
    /// <param name="threads">Threads that share the parts evenly.</param>
    /// <returns>At most as many as there are images.</returns>
    public static int Parts(int images, int rowsPerImage, int threads)
    {
        int inRound = threads * Math.Max(1, RowsPerPart / rowsPerImage);
        return Math.Min(images, (images + inRound - 1) / inRound * threads);
    }

    /// <summary>Where a part of some images begins: <paramref name="part"/> of <paramref name="parts"/>, as even as can be.</summary>
    public static int Begin(int images, int part, int parts) => (int)((long)images * part / parts);

    /// <summary>Does work for each number from 0 up, several at once; returns when all is done.</summary>
    /// <param name="count">How many.</param>
    /// <param name="work">Given the number. What it throws is thrown here, once all others are done.</param>
    public static void For(int count, Action<int> work)
    {
        if (t_isOne)
        {
            for (int i = 0; i < count; i++) work(i);   // to wait for one of these threads on one of them could be for ever
            return;
        }
        _ = s_started.Value;
        using var left = new CountdownEvent(count);
        var failures = new Exception?[count];
        for (int i = 0; i < count; i++)
        {
            int number = i;
            s_work.Add(() =>
            {
                try
                {
                    work(number);
                }
                catch (Exception e)
                {
                    failures[number] = e;
                }
                left.Signal();
            });
        }
        left.Wait();
        if (Array.Find(failures, f => f is not null) is { } failure) ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Runs a model over a batch without gradients: on a CPU on all threads, each with images of its own.</summary>
    /// <param name="inputs">One row for each image, <c>[batch, ...]</c>.</param>
    /// <param name="rowsPerImage">See <see cref="Parts"/>.</param>
    /// <param name="forward">The model, which treats each image for itself.</param>
    /// <returns>The rows of what the model gave, in order.</returns>
    public static Tensor Map(Tensor inputs, int rowsPerImage, Func<Tensor, Tensor> forward)
    {
        int images = (int)inputs.size(0), threads = inputs.device_type == DeviceType.CPU ? Count : 1;
        if (threads == 1 || images == 1) return forward(inputs);
        var results = new Tensor[Parts(images, rowsPerImage, threads)];
        For(results.Length, part =>
        {
            using DisposeScope scope = NewDisposeScope();
            using var noGrad = no_grad();
            int from = Begin(images, part, results.Length), to = Begin(images, part + 1, results.Length);
            results[part] = forward(inputs.narrow(0, from, to - from)).DetachFromDisposeScope();
        });
        Tensor all = cat(results, 0);
        foreach (Tensor result in results) result.Dispose();
        return all;
    }

    private static int Start()
    {
        int count = Count, each = NativeTuning.Threads / count;
        using var ready = new CountdownEvent(count);
        for (int i = 0; i < count; i++)
            new Thread(() =>
            {
                _ = get_num_threads();   // a thread that has not asked yet would be given the others' number at its first operation
                set_num_threads(each);
                t_isOne = true;
                ready.Signal();
                foreach (Action action in s_work.GetConsumingEnumerable()) action();
            }) { IsBackground = true, Name = "Smae core" }.Start();
        ready.Wait();
        set_num_threads(NativeTuning.Threads);   // the number that a thread sets is also what libtorch gives to threads that start later
        return count;
    }
}
