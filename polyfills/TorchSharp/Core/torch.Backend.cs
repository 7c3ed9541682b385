using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp.Interop;

namespace TorchSharp;

/// <summary>The functions of libtorch, under the names that PyTorch gives them.</summary>
public static partial class torch
{
    private static ScalarType default_dtype = ScalarType.Float32;
    private static Device default_device = new(DeviceType.CPU, -1);
    private static bool nativeLibraryLoaded;

    // With an explicit constructor a missing native library is met at the first use of torch, as a TypeInitializationException.
    static torch() => LoadNativeLibrary();

    /// <summary>The version of the libtorch in use.</summary>
    public static unsafe string __version__ => Marshal.PtrToStringUTF8((nint)Native.shim_version())!;

    public static bool TryInitializeDeviceType(DeviceType deviceType)
    {
        if (deviceType == DeviceType.MPS) return false;
        LoadNativeLibrary();
        return deviceType != DeviceType.CUDA || Native.shim_cuda_is_available();
    }

    public static void InitializeDeviceType(DeviceType deviceType)
    {
        if (deviceType == DeviceType.MPS)
            throw new InvalidOperationException($"Torch device type '{deviceType}' is not available on this platform.");
        LoadNativeLibrary();
        if (deviceType == DeviceType.CUDA && !Native.shim_cuda_is_available())
            throw new InvalidOperationException($"Torch device type {deviceType} did not initialise on the current machine.");
    }

    public static Device InitializeDevice(Device? device)
    {
        device ??= get_default_device();
        InitializeDeviceType(device.type);
        return device;
    }

    private static void LoadNativeLibrary()
    {
        if (nativeLibraryLoaded) return;
        if (!Environment.Is64BitProcess) throw new NotSupportedException("TorchSharp only supports 64-bit processes.");
        if (!NativeLibrary.TryLoad(Native.Library, Assembly.GetExecutingAssembly(), null, out _))
            throw new NotSupportedException(
                "This application uses TorchSharp, but its native library or the libtorch that this was built against could not be loaded. " +
                "On Debian: apt-get install --no-install-recommends libtorch-dev libopenblas0-openmp cmake g++, then build again.");
        nativeLibraryLoaded = true;
    }
}
