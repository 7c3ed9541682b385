using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>x·Wᵀ + b.</summary>
public sealed class Linear : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = nameof(bias))] private Parameter? heldBias;
    [ComponentName(Name = nameof(weight))] private Parameter? heldWeight;

    internal Linear(Parameter weight, Parameter? bias = null) : base(nameof(Linear))
    {
        in_features = weight.shape[1];
        out_features = weight.shape[0];
        this.weight = weight;
        if (bias is not null) this.bias = bias;
    }

    internal Linear(long inputSize, long outputSize, bool hasBias, Device? device, ScalarType? dtype) : base(nameof(Linear))
    {
        in_features = inputSize;
        out_features = outputSize;
        weight = empty(outputSize, inputSize, device: device, dtype: dtype).AsParameter();
        nn.init.kaiming_uniform_(weight, a: Math.Sqrt(5));
        if (!hasBias) return;
        bias = empty(outputSize, device: device, dtype: dtype).AsParameter();
        var bound = inputSize > 0 ? 1 / Math.Sqrt(inputSize) : 0;
        nn.init.uniform_(bias, -bound, bound);
    }

    public long in_features { get; set; }

    public long out_features { get; set; }

    public Parameter weight { get => heldWeight!; set => Replace(ref heldWeight, value ?? throw new ArgumentNullException(nameof(weight)), nameof(weight)); }

    public Parameter? bias { get => heldBias; set => Replace(ref heldBias, value, nameof(bias)); }

    public override Tensor forward(Tensor tensor) => nn.functional.linear(tensor, weight, bias);

    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        heldWeight?.Dispose();
        heldBias?.Dispose();
    }
}
