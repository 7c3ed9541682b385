using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// What Smae's own kernels need: they replace libtorch's operations on processors with AVX-512, where those are slow (they use half a register, and
/// pass over memory again and again). Anywhere else the same model runs on libtorch's operations.
/// </summary>
internal static unsafe class CpuKernels
{
    /// <summary>Numbers in a register; rows must be a multiple of it.</summary>
    public const int Width = 16;

    /// <summary>Does some rows' work and adds to sums.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="end">The one after the last.</param>
    /// <param name="sums">The sums.</param>
    public delegate void SummingWork(long first, long end, float* sums);

    /// <summary>Whether there is a kernel for a tensor, and for results of so many numbers.</summary>
    public static bool CanUse(Tensor tensor, long numbers) =>
        Avx512F.IsSupported && tensor.device_type == DeviceType.CPU && tensor.dtype is ScalarType.BFloat16 or ScalarType.Float32
        && numbers * tensor.ElementSize <= int.MaxValue;   // the reach of a span

    /// <summary>Where a contiguous tensor lies in memory; holds while the tensor lives.</summary>
    public static T* Pointer<T>(Tensor tensor) where T : unmanaged =>
        (T*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));   // native memory: nothing moves it

    /// <summary>Works through numbers from 0 up, on as many threads as libtorch's own operations would take here.</summary>
    /// <param name="count">How many.</param>
    /// <param name="work">Given the first and the one after the last.</param>
    public static void For(long count, Action<long, long> work)
    {
        int threads = Threads(count);
        if (threads <= 1) work(0, count);
        else Parallel.For(0, threads, i => work(count * i / threads, count * (i + 1) / threads));
    }

    /// <summary>The same, where work adds numbers up: each thread by itself, and then all in one order, so that the sums are the same in every run.</summary>
    /// <param name="count">How many rows.</param>
    /// <param name="sums">Zeros, that are added to.</param>
    /// <param name="length">How many sums.</param>
    /// <param name="work">What is done.</param>
    public static void Sum(long count, float* sums, int length, SummingWork work)
    {
        int threads = Threads(count);
        if (threads <= 1)
        {
            work(0, count, sums);
            return;
        }
        var parts = new float[threads][];
        Parallel.For(0, threads, i =>
        {
            fixed (float* own = parts[i] = new float[length]) work(count * i / threads, count * (i + 1) / threads, own);
        });
        foreach (float[] part in parts)
            for (int i = 0; i < length; i++) sums[i] += part[i];
    }

    private static int Threads(long count) => (int)Math.Min(get_num_threads(), count);
}
