using System.Collections.Immutable;
using System.Numerics;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <inheritdoc/>
internal sealed class AffineFunction<T>(bool isVector, (T Scale, T Offset)[] slots) : AffineFunction
    where T : struct, IFloatingPointIeee754<T>
{
    // Without offsets zeros stay zeros, and sparse vectors sparse.
    private readonly bool _hasOffsets = slots.Any(s => !T.IsZero(s.Offset));

    public override NormalizingTransformer.NormalizerModelParametersBase Parameters =>
        isVector
            ? new NormalizingTransformer.AffineNormalizerModelParameters<ImmutableArray<T>>(
                [.. slots.Select(s => s.Scale)], _hasOffsets ? [.. slots.Select(s => s.Offset)] : [])
            : new NormalizingTransformer.AffineNormalizerModelParameters<T>(slots[0].Scale, slots[0].Offset);

    public override void Save(ModelSaveContext ctx)
    {
        ctx.Writer.Write(typeof(T) == typeof(double));
        ctx.Writer.Write(isVector);
        ctx.Writer.Write(slots.Length);
        foreach ((T scale, T offset) in slots)
        {
            ctx.Writer.Write(double.CreateTruncating(scale));
            ctx.Writer.Write(double.CreateTruncating(offset));
        }
    }

    public override Delegate CreateGetter(DataViewRow row, int col)
    {
        DataViewSchema.Column column = row.Schema[col];
        return isVector ? Vector(row.GetGetter<VBuffer<T>>(column)) : Scalar(row.GetGetter<T>(column));
    }

    private ValueGetter<T> Scalar(ValueGetter<T> getter) => (ref T value) =>
    {
        getter(ref value);
        value = Apply(value, 0);
    };

    private ValueGetter<VBuffer<T>> Vector(ValueGetter<VBuffer<T>> getter)
    {
        VBuffer<T> source = default;
        return (ref VBuffer<T> value) =>
        {
            getter(ref source);
            Contracts.Check(source.Length == slots.Length);
            if (_hasOffsets)
                source.CopyToDense(ref value);
            else
                source.CopyTo(ref value);
            VBufferEditor<T> editor = VBufferEditor.CreateFromBuffer(ref value);
            ReadOnlySpan<int> indices = value.GetIndices();
            for (int i = 0; i < editor.Values.Length; i++)
                editor.Values[i] = Apply(editor.Values[i], value.IsDense ? i : indices[i]);
        };
    }

    private T Apply(T value, int slot) => (value - slots[slot].Offset) * slots[slot].Scale;
}
