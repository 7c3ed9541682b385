using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// What Smae's own kernels need: they stand in for libtorch's operations on processors with AVX-512, where those are slow (they use half a register, and
/// pass over memory again and again). Anywhere else the same model runs on libtorch's operations.
/// </summary>
internal static class CpuKernels
{
    /// <summary>Whether there is a kernel for a tensor, and for results of so many numbers.</summary>
    public static bool CanUse(Tensor tensor, long numbers) =>
        Avx512F.IsSupported && tensor.device_type == DeviceType.CPU && tensor.dtype is ScalarType.BFloat16 or ScalarType.Float32
        && numbers * tensor.ElementSize <= int.MaxValue;   // the reach of a span

    /// <summary>Where a contiguous tensor lies in memory; holds while the tensor lives.</summary>
    public static unsafe T* Pointer<T>(Tensor tensor) where T : unmanaged =>
        (T*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(tensor.bytes));   // native memory: nothing moves it

    /// <summary>Works through numbers from 0 up, on as many threads as libtorch's own operations would take here.</summary>
    /// <param name="count">How many.</param>
    /// <param name="work">Given the first and the one after the last.</param>
    public static void For(long count, Action<long, long> work)
    {
        int threads = (int)Math.Min(get_num_threads(), count);
        if (threads <= 1) work(0, count);
        else Parallel.For(0, threads, i => work(count * i / threads, count * (i + 1) / threads));
    }
}
