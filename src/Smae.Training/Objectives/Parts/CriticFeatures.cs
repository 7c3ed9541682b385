using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>A frozen critic: gives features of images, lets gradients through to the images and holds none for itself.</summary>
internal sealed class CriticFeatures : IDisposable
{
    private readonly nn.Module<Tensor, Tensor> _module;
    private readonly bool _owned;

    /// <param name="module">From images to features.</param>
    /// <param name="owned">Whether the module is disposed with this object.</param>
    public CriticFeatures(nn.Module<Tensor, Tensor> module, bool owned)
    {
        (_module, _owned) = (module, owned);
        module.eval();
        foreach (Parameter parameter in module.parameters()) parameter.requires_grad_(false);
    }

    /// <summary>The part of a SqueezeNet in a file that serves as critic.</summary>
    public static CriticFeatures Load(string path) => new(SqueezeNet.Load(path, SqueezeNet.CriticDepth), owned: true);

    public CriticFeatures To(Device device)
    {
        _module.to(device);
        return this;
    }

    /// <param name="images"><c>[batch, channels, height, width]</c>.</param>
    public Tensor Of(Tensor images) => _module.forward(images);

    /// <summary>A hash of the critic's weights.</summary>
    public string Hash() => TensorHash.Of(_module.state_dict().Select(entry => (entry.Key, entry.Value)));

    public void Dispose()
    {
        if (_owned) _module.Dispose();
    }
}
