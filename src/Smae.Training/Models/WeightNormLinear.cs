using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// A linear layer without bias whose rows have a direction (<c>weight_v</c>) and a length (<c>weight_g</c>) of their own (Salimans and Kingma 2016):
/// its weight is <c>g v / |v|</c>, as PyTorch's <c>weight_norm</c> makes it.
/// </summary>
internal sealed class WeightNormLinear : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight_g")] private Parameter _length;
    [ComponentName(Name = "weight_v")] private Parameter _direction;

    /// <param name="inputs">Numbers in.</param>
    /// <param name="outputs">Numbers out.</param>
    /// <param name="trainLength">Whether the lengths are trained; they are 1 at the start.</param>
    public WeightNormLinear(int inputs, int outputs, bool trainLength) : base(nameof(WeightNormLinear))
    {
        _length = new Parameter(ones(outputs, 1), requires_grad: trainLength);
        _direction = new Parameter(zeros(outputs, inputs));
        RegisterComponents();
    }

    public Parameter Direction => _direction;

    /// <param name="input"><c>[..., inputs]</c>.</param>
    /// <returns><c>[..., outputs]</c>.</returns>
    public override Tensor forward(Tensor input) => nn.functional.linear(input, _direction * (_length / _direction.norm(1, keepdim: true)));
}
