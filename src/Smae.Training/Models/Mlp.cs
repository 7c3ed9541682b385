using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>The two-layer perceptron of a transformer block (timm's <c>mlp.fc1</c> and <c>mlp.fc2</c>).</summary>
internal sealed class Mlp : nn.Module<Tensor, Tensor>
{
    private readonly Activation _activation;
    private readonly double _dropout;
    private readonly ForwardNoise _noise;
    [ComponentName(Name = "fc1")] private readonly Linear _fc1;
    [ComponentName(Name = "fc2")] private readonly Linear _fc2;

    public Mlp(TransformerConfig config, ForwardNoise noise) : base(nameof(Mlp))
    {
        (_activation, _dropout, _noise) = (config.Activation, config.Dropout, noise);
        _fc1 = new Linear(config.EmbedDim, config.MlpDim);
        _fc2 = new Linear(config.MlpDim, config.EmbedDim);
        RegisterComponents();
    }

    public Linear First => _fc1;

    public Linear Second => _fc2;

    /// <param name="x"><c>[batch, tokens, dim]</c>.</param>
    public override Tensor forward(Tensor x)
    {
        x = _fc1.forward(x);
        x = _activation == Activation.Gelu ? nn.functional.gelu(x) : nn.functional.relu(x);
        if (training) x = _noise.Dropout(x, _dropout);
        x = _fc2.forward(x);
        return training ? _noise.Dropout(x, _dropout) : x;
    }
}
