using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>Normalisation over the last dimensions.</summary>
public sealed class LayerNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = nameof(bias))] private Parameter? heldBias;
    [ComponentName(Name = nameof(weight))] private Parameter? heldWeight;

    internal LayerNorm(long[] normalized_shape, double eps, bool elementwise_affine, bool bias, Device? device, ScalarType? dtype) : base(nameof(LayerNorm))
    {
        this.normalized_shape = normalized_shape;
        this.eps = eps;
        this.elementwise_affine = elementwise_affine;
        if (elementwise_affine) weight = nn.Parameter(empty(normalized_shape, dtype, device));
        if (elementwise_affine && bias) this.bias = nn.Parameter(empty(normalized_shape, dtype, device));
        reset_parameters();
    }

    public long[] normalized_shape { get; set; }

    public double eps { get; set; }

    public bool elementwise_affine { get; set; }

    public Parameter weight { get => heldWeight!; set => Replace(ref heldWeight, value ?? throw new ArgumentNullException(nameof(weight)), nameof(weight)); }

    public Parameter? bias { get => heldBias; set => Replace(ref heldBias, value, nameof(bias)); }

    public void reset_parameters()
    {
        if (elementwise_affine) nn.init.ones_(weight);
        if (bias is not null) nn.init.zeros_(bias);
    }

    public override Tensor forward(Tensor tensor) => nn.functional.layer_norm(tensor, normalized_shape, heldWeight, heldBias, eps);

    protected override void Dispose(bool disposing)
    {
        heldWeight?.Dispose();
        heldBias?.Dispose();
        base.Dispose(disposing);
    }
}
