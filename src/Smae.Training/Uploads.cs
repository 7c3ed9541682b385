// The names stand here one by one since Smae.Export compiles this file too, without the usings that this project has for all files.
using Device = TorchSharp.torch.Device;
using DeviceType = TorchSharp.DeviceType;
using Tensor = TorchSharp.torch.Tensor;

namespace Smae.Training;

/// <summary>
/// Copies to a GPU that its work does not wait for, and that do not wait for its work: from pinned memory, in the order of what is queued. A plain copy lets
/// this thread wait until the GPU has done all that it was given before, so that the next step could not be prepared meanwhile.
/// </summary>
internal static class Uploads
{
    /// <summary>A tensor of this machine's memory, on a device.</summary>
    public static Tensor Upload(this Tensor tensor, Device device)
    {
        if (device.type != DeviceType.CUDA || tensor.device_type != DeviceType.CPU) return tensor.to(device);
        using Tensor pinned = tensor.pin_memory();   // libtorch keeps the memory until the copy is done
        return pinned.to(device, non_blocking: true);
    }
}
