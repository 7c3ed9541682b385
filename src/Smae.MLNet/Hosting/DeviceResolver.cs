using Microsoft.ML;
using Microsoft.ML.Runtime;
using Smae.Training;
using TorchSharp;

namespace Smae.MLNet;

/// <summary>Turns <see cref="MLContext.GpuDeviceId"/> and <see cref="MLContext.FallbackToCpu"/> into a device of TorchSharp.</summary>
internal static class DeviceResolver
{
    /// <summary>
    /// Null, which is the CPU, where no GPU is asked for, else the GPU asked for. One that is not there is replaced by the CPU with a warning if
    /// <see cref="MLContext.FallbackToCpu"/> is set.
    /// </summary>
    /// <exception cref="InvalidOperationException">The GPU asked for is not there and <see cref="MLContext.FallbackToCpu"/> is not set.</exception>
    public static torch.Device? Resolve(IHostEnvironment environment, IChannel channel)
    {
        var (wanted, fallback) = CatalogEnvironment.GpuSettings(environment);
        if (wanted is not { } id)
            return null;

        int count = torch.cuda.is_available() ? torch.cuda.device_count() : 0;
        if (id >= 0 && id < count)
            return torch.device(DeviceType.CUDA, id);

        string problem = count == 0
            ? $"GpuDeviceId is {id}, but TorchSharp finds no usable CUDA device."
            : $"GpuDeviceId is {id}, but TorchSharp finds {count} CUDA device(s), numbered from 0.";
        if (!fallback)
        {
            throw new InvalidOperationException(
                problem + " Reference the package TorchSharp-cuda-linux in the application (in this repository: build with " +
                "-p:Accelerator=cuda) and check the NVIDIA driver, set MLContext.FallbackToCpu to use the CPU instead, or leave " +
                "MLContext.GpuDeviceId null.");
        }

        channel.Warning(MessageSensitivity.None, problem + " FallbackToCpu is set: going on with the CPU.");
        return null;
    }
}
