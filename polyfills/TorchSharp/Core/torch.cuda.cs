using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>NVIDIA's devices.</summary>
    public static partial class cuda
    {
        public static bool is_available() => TryInitializeDeviceType(DeviceType.CUDA);

        public static bool is_cudnn_available() => is_available() && Native.shim_cudnn_is_available();

        public static int device_count() => is_available() ? Native.shim_cuda_device_count() : 0;

        public static void manual_seed(long seed) => Native.Check(Native.shim_cuda_manual_seed(seed, all: false));

        public static void manual_seed_all(long seed) => Native.Check(Native.shim_cuda_manual_seed(seed, all: true));

        public static void synchronize(Device? device = null) => Native.Check(Native.shim_cuda_synchronize(device?.index ?? -1));
    }

    public static bool cuda_is_available() => cuda.is_available();

    public static bool mps_is_available() => false;
}
