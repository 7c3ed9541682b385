using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Smae.Training;

/// <summary>
/// A linear layer whose weights stay float32 and are cast to the type of its input: the product then runs in the precision the caller chose.
/// </summary>
internal sealed class Linear : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")] private Parameter _weight;
    [ComponentName(Name = "bias")] private Parameter _bias;

    public Linear(int inputs, int outputs) : base(nameof(Linear))
    {
        _weight = new Parameter(zeros(outputs, inputs));
        _bias = new Parameter(zeros(outputs));
        RegisterComponents();
    }

    public Parameter Weight => _weight;

    public Parameter Bias => _bias;

    /// <param name="input"><c>[..., inputs]</c>, float32 or bfloat16.</param>
    /// <returns><c>[..., outputs]</c> of the input's type.</returns>
    public override Tensor forward(Tensor input) => nn.functional.linear(input, _weight.to_type(input.dtype), _bias.to_type(input.dtype));
}
