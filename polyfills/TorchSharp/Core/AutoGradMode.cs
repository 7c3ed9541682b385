using TorchSharp.Interop;

namespace TorchSharp;

/// <summary>Whether operations are recorded, on this thread, until disposed.</summary>
internal sealed class AutoGradMode : IDisposable
{
    private readonly bool before = torch.is_grad_enabled();

    public AutoGradMode(bool enabled) => Native.shim_set_grad_mode(enabled);

    public void Dispose() => Native.shim_set_grad_mode(before);
}
