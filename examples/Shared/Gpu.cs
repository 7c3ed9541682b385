using TorchSharp;

namespace Examples;

/// <summary>The device that a command line names.</summary>
internal static class Gpu
{
    /// <param name="number">The number of a CUDA device; null is the CPU.</param>
    /// <exception cref="InvalidOperationException">There is no such device.</exception>
    public static torch.Device Of(int? number) => number is not { } gpu ? torch.CPU
        : gpu < torch.cuda.device_count() ? torch.device($"cuda:{gpu}")
        : throw new InvalidOperationException($"--gpu {gpu}: there is no such CUDA device, or libtorch is built without CUDA (see the README).");
}
