using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>Layer normalisation over the last dimension with learned scale and shift, always in float32.</summary>
internal sealed class LayerNorm : nn.Module<Tensor, Tensor>
{
    private readonly long[] _shape;
    private readonly double _epsilon;
    [ComponentName(Name = "weight")] private Parameter _weight;
    [ComponentName(Name = "bias")] private Parameter _bias;

    public LayerNorm(int dim, double epsilon) : base(nameof(LayerNorm))
    {
        _shape = [dim];
        _epsilon = epsilon;
        _weight = new Parameter(ones(dim));
        _bias = new Parameter(zeros(dim));
        RegisterComponents();
    }

    public Parameter Weight => _weight;

    public Parameter Bias => _bias;

    /// <param name="input"><c>[..., dim]</c>, float32.</param>
    public override Tensor forward(Tensor input) => forward(input, ScalarType.Float32);

    /// <param name="input"><c>[..., dim]</c>, float32.</param>
    /// <param name="type">The type of the result, float32 or bfloat16; the arithmetic is float32 all the same.</param>
    public Tensor forward(Tensor input, ScalarType type) =>
        nn.functional.layer_norm(input, _shape, _weight, _bias, _epsilon).to_type(type);
}
