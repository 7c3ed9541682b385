using System.Reflection;
using System.Runtime.InteropServices;

namespace Smae.Training;

/// <summary>Says in plain words what is missing where libtorch does not load; TorchSharp's own answer is a TypeInitializationException and pages of search.</summary>
public static class LibTorch
{
    private static readonly Lazy<string?> s_fault = new(Load);

    /// <summary>To be called before TorchSharp is first used: by all that makes, reads or runs models.</summary>
    /// <exception cref="DllNotFoundException">libtorch does not load here; the message says what to do.</exception>
    public static void Require()
    {
        if (s_fault.Value is { } fault) throw new DllNotFoundException(fault);
    }

    private static string? Load()
    {
        try
        {
            // TorchSharp's own search would copy whole packages when it fails, so that this comes before it.
            if (OperatingSystem.IsLinux()) _ = NativeLibrary.Load("LibTorchSharp", typeof(torch).Assembly, null);
            else torch.InitializeDeviceType(DeviceType.CPU);
            return null;
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException)
        {
            string version = typeof(torch).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
            return e.Message.Contains("GLIBCXX_")
                ? "TorchSharp's libLibTorchSharp.so asks for GLIBCXX_3.4.32, which comes with GCC 13; the C++ library of this system is older, as on Debian 12 and " +
                  "Ubuntu 22.04. Build or publish the application on this system: the package Smae.Training then gives it a copy of the file that does without " +
                  "(unless SmaeRepairTorchSharp is false). Or install libstdc++6 of GCC 13 or newer."
                : $"libtorch was not found: add the package TorchSharp-cpu {version} to the application, or TorchSharp-cuda-linux or TorchSharp-cuda-windows {version} " +
                  $"for NVIDIA GPUs. ({e.Message.Split('\n')[0]})";
        }
    }
}
