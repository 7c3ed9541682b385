using TorchSharp.Utils;
using static TorchSharp.torch;

namespace TorchSharp.Modules;

/// <summary>A table of vectors, looked up by number.</summary>
public sealed class Embedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = nameof(weight))] private Parameter? heldWeight;
    private readonly long padding;
    private readonly bool scaleGradients, isSparse;

    internal Embedding(Tensor table, bool trained, long? padding_idx, double? max_norm, bool scale_grad_by_freq, bool sparse) : base(nameof(Embedding))
    {
        if (max_norm is not null) throw new NotSupportedException("Embedding does not support max_norm.");
        padding = padding_idx ?? -1;
        scaleGradients = scale_grad_by_freq;
        isSparse = sparse;
        weight = new Parameter(table, trained);
        if (padding_idx is null) return;
        using var unrecorded = no_grad();
        using var row = weight![padding_idx.Value];
        row.fill_(0);
    }

    public Parameter? weight { get => heldWeight; set => Replace(ref heldWeight, value ?? throw new ArgumentNullException(nameof(weight)), nameof(weight)); }

    public override Tensor forward(Tensor input) => Interop.Aten.embedding.Call(weight, input, padding, scaleGradients, isSparse);
}
