using TorchSharp.Interop;

namespace TorchSharp;

/// <summary>Inference mode on this thread until disposed; scopes must end in the reverse order of their beginning.</summary>
internal sealed class InferenceMode(bool mode) : IDisposable
{
    private nint guard = Enter(mode);

    public void Dispose()
    {
        if (guard != 0) Native.shim_inference_mode_leave(guard);
        guard = 0;
    }

    private static nint Enter(bool mode)
    {
        torch.InitializeDeviceType(DeviceType.CPU);
        return Native.shim_inference_mode_enter(mode);
    }
}
