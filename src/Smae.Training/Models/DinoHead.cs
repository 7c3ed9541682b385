using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// The projection head of DINO (Caron et al. 2021): linear layers with exact GELU between them, a bottleneck of unit length, a weight-normalised
/// layer without bias. Always in float32. Its parameters bear facebookresearch/dino's names: <c>mlp.0</c>, <c>mlp.2</c>...,
/// <c>last_layer.weight_g</c> and <c>weight_v</c>.
/// </summary>
internal sealed class DinoHead : nn.Module<Tensor, Tensor>
{
    private const double Std = 0.02, LeastNorm = 1e-12;
    [ComponentName(Name = "mlp")] private readonly ProjectionHead _mlp;
    [ComponentName(Name = "last_layer")] private readonly WeightNormLinear _lastLayer;

    /// <param name="inputs">Width of the encoder.</param>
    /// <param name="settings">Widths, number of layers, whether the last layer is normalised.</param>
    /// <param name="generator">What the weights are drawn from.</param>
    public DinoHead(int inputs, DinoObjective settings, Generator generator) : base(nameof(DinoHead))
    {
        using DisposeScope scope = NewDisposeScope();
        _mlp = new ProjectionHead([inputs, .. Enumerable.Repeat(settings.HiddenDim, settings.HeadLayers - 1), settings.BottleneckDim]);
        _lastLayer = new WeightNormLinear(settings.BottleneckDim, settings.OutputDim, trainLength: !settings.NormalizeLastLayer);
        RegisterComponents();
        this.DetachFromDisposeScopes();

        using var noGrad = no_grad();
        foreach (Linear layer in _mlp.Layers) layer.Weight.normal_(0, Std, generator);
        double bound = 1 / Math.Sqrt(settings.BottleneckDim);   // as PyTorch draws a linear layer's weight
        _lastLayer.Direction.uniform_(-bound, bound, generator);
    }

    /// <summary>The parameters of the last layer.</summary>
    public IEnumerable<Parameter> LastLayer => _lastLayer.parameters();

    /// <param name="input"><c>[batch, inputs]</c>, float32.</param>
    /// <returns>Logits, <c>[batch, outputs]</c>.</returns>
    public override Tensor forward(Tensor input) => _lastLayer.forward(Bottleneck(input));

    /// <summary>What the last layer sees: vectors of length 1.</summary>
    /// <param name="input"><c>[batch, inputs]</c>, float32.</param>
    /// <returns><c>[batch, bottleneck]</c>.</returns>
    public Tensor Bottleneck(Tensor input)
    {
        Tensor x = _mlp.forward(input);
        return x / x.norm(-1, keepdim: true).clamp_min(LeastNorm);
    }
}
