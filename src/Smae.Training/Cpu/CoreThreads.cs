using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Smae.Training;

/// <summary>
/// Threads that work on a CPU, as many as libtorch has on the thread that made them, each with a libtorch of one thread: no operation waits for another thread,
/// and what a thread works on stays in its core's cache.
/// </summary>
internal sealed partial class CoreThreads : IDisposable
{
    // Each thread has gradients of its own, which are to be held and added up: beyond so many, a thread has several of libtorch's.
    private const int Most = 8;

    // With fewer rows, products run below the processor's rate and, in training, gradients are added up more often (1,024: 0.91 of the speed in bfloat16); with
    // more, memory grows and speed does not.
    private const int RowsPerPart = 2048;

    private static readonly ConcurrentDictionary<int, Lazy<CoreThreads>> s_shared = [];   // by libtorch's number of threads
    private readonly BlockingCollection<Action> _work = [];
    private readonly List<Thread> _threads = [];

    public CoreThreads()
    {
        int all = get_num_threads(), count = Math.Min(all, Most);
        bool own = true;
        using var ready = new CountdownEvent(count);
        for (int i = 0; i < count; i++)
        {
            var thread = new Thread(() =>
            {
                if (!SetOwnThreads(all / count)) own = false;
                ready.Signal();
                foreach (Action action in _work.GetConsumingEnumerable()) action();
            }) { IsBackground = true, Name = "Smae core" };
            thread.Start();
            _threads.Add(thread);
        }
        ready.Wait();
        if (!own) set_num_threads(all);
    }

    /// <summary>Those of all models that are run, and not trained, with libtorch's number of threads on this thread. They never end.</summary>
    public static CoreThreads Shared => s_shared.GetOrAdd(get_num_threads(), _ => new Lazy<CoreThreads>(() => new CoreThreads())).Value;

    public int Count => _threads.Count;

    /// <summary>Whether images are enough to be run in parts: of fewer, all cores together are the sooner done, most so where weights are cast for each part.</summary>
    /// <param name="rowsPerImage">Rows that an image adds to the model's matrix products, the tokens of a transformer.</param>
    public bool HaveWork(long images, int rowsPerImage) => images * rowsPerImage >= (long)Count * RowsPerPart / 2;

    /// <summary>Images in parts, as even as can be and as many for each thread: where they begin, and end.</summary>
    /// <param name="rowsPerImage">Rows that an image adds to the model's matrix products, the tokens of a transformer.</param>
    public (int Begin, int End)[] Parts(int images, int rowsPerImage)
    {
        int inRound = Count * Math.Max(1, RowsPerPart / rowsPerImage), parts = Math.Min(images, (images + inRound - 1) / inRound * Count);
        return [.. Enumerable.Range(0, parts).Select(part => Ranks.Share(images, part, parts))];
    }

    /// <summary>Does work for each of so many parts, a thread some of them in a row; returns when all is done.</summary>
    /// <param name="work">Given the number of the thread and that of the part. What it throws is thrown here, once all other threads are done.</param>
    public void Run(int parts, Action<int, int> work)
    {
        using var left = new CountdownEvent(Count);
        var failures = new Exception?[Count];
        for (int i = 0; i < Count; i++)
        {
            int number = i;
            _work.Add(() =>
            {
                try
                {
                    (int begin, int end) = Ranks.Share(parts, number, Count);
                    for (int part = begin; part < end; part++) work(number, part);
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

    /// <summary>
    /// Sets libtorch's number of threads on the calling thread. <c>torch.set_num_threads</c> sets it also for every thread that begins to use libtorch later:
    /// other runs of the process, which begin meanwhile, would go without a fast path or sum in another order.
    /// </summary>
    /// <returns>Whether no other thread sees it: where libtorch's OpenMP and MKL can be asked themselves.</returns>
    private static bool SetOwnThreads(int count)
    {
        _ = get_num_threads();   // a thread that has not asked yet would be given the process's number at its first operation
        try
        {
            omp_set_num_threads(count);
            _ = MKL_Set_Num_Threads_Local(count);
            return true;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            set_num_threads(count);
            return false;
        }
    }

    [LibraryImport("torch_cpu")]
    private static partial void omp_set_num_threads(int count);

    [LibraryImport("torch_cpu")]
    private static partial int MKL_Set_Num_Threads_Local(int count);

    public void Dispose()
    {
        _work.CompleteAdding();
        foreach (Thread thread in _threads) thread.Join();
        _work.Dispose();
    }
}
