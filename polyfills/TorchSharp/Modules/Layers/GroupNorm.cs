using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>Normalisation over groups of channels.</summary>
public sealed class GroupNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = nameof(bias))] private Parameter? heldBias;
    [ComponentName(Name = nameof(weight))] private Parameter? heldWeight;

    internal GroupNorm(long num_groups, long num_channels, double eps, bool affine, Device? device, ScalarType? dtype) : base(nameof(GroupNorm))
    {
        this.num_groups = num_groups;
        this.eps = eps;
        this.affine = affine;
        if (!affine) return;
        weight = nn.Parameter(ones(num_channels, dtype, device));
        bias = nn.Parameter(zeros(num_channels, dtype, device));
    }

    public long num_groups { get; set; }

    public double eps { get; set; }

    public bool affine { get; set; }

    public Parameter weight { get => heldWeight!; set => Replace(ref heldWeight, value ?? throw new ArgumentNullException(nameof(weight)), nameof(weight)); }

    public Parameter? bias { get => heldBias; set => Replace(ref heldBias, value, nameof(bias)); }

    public override Tensor forward(Tensor tensor) =>
        tensor.Dimensions >= 3
            ? nn.functional.group_norm(tensor, num_groups, heldWeight, heldBias, eps)
            : throw new ArgumentException($"Invalid number of dimensions for GroupNorm argument: {tensor.Dimensions}");

    protected override void Dispose(bool disposing)
    {
        heldWeight?.Dispose();
        heldBias?.Dispose();
        base.Dispose(disposing);
    }
}
