using System.Numerics;
using Microsoft.ML.Data;
using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>A normalization that has been learned for one column.</summary>
internal abstract class AffineFunction
{
    public abstract NormalizingTransformer.NormalizerModelParametersBase Parameters { get; }

    /// <summary>Starts to learn from the rows of a cursor; the result, to be called in the end, makes the function.</summary>
    public static (Action AddRow, Func<AffineFunction> Finish) Train(Normalization normalization, IExceptionContext ectx, DataViewRow row, int col)
    {
        DataViewType type = row.Schema[col].Type;
        bool known = type is not VectorDataViewType { IsKnownSize: false };
        if (!known || (type.GetItemType() != NumberDataViewType.Single && type.GetItemType() != NumberDataViewType.Double))
            throw ectx.ExceptParam("srcType", $"Only numbers of Single or Double and vectors of a known size of them are normalized, not {type}.");
        return Generic.Invoke<(Action, Func<AffineFunction>)>(TrainCore<float>, type.GetItemType().RawType, normalization, row, col);
    }

    public static AffineFunction Load(ModelLoadContext ctx) => ctx.Reader.ReadBoolean() ? Read<double>(ctx) : Read<float>(ctx);

    public abstract void Save(ModelSaveContext ctx);

    public abstract Delegate CreateGetter(DataViewRow row, int col);

    private static (Action AddRow, Func<AffineFunction> Finish) TrainCore<T>(Normalization normalization, DataViewRow row, int col)
        where T : struct, IFloatingPointIeee754<T>
    {
        DataViewSchema.Column column = row.Schema[col];
        bool isVector = column.Type is VectorDataViewType;
        SlotStatistics<T>[] slots = [.. Enumerable.Range(0, column.Type.GetValueCount()).Select(_ => normalization.CreateStatistics<T>())];
        var values = new T[slots.Length];
        ValueGetter<VBuffer<T>> vector = isVector ? row.GetGetter<VBuffer<T>>(column) : null;
        ValueGetter<T> scalar = isVector ? null : row.GetGetter<T>(column);
        VBuffer<T> buffer = default;
        return (AddRow, () => new AffineFunction<T>(isVector, [.. slots.Select(s => s.Finish())]));

        void AddRow()
        {
            if (isVector)
            {
                vector(ref buffer);
                buffer.CopyTo(values);
            }
            else
                scalar(ref values[0]);

            for (int i = 0; i < slots.Length; i++)
                slots[i].Add(values[i]);
        }
    }

    private static AffineFunction<T> Read<T>(ModelLoadContext ctx)
        where T : struct, IFloatingPointIeee754<T>
    {
        bool isVector = ctx.Reader.ReadBoolean();
        var slots = new (T Scale, T Offset)[ctx.Reader.ReadInt32()];
        for (int i = 0; i < slots.Length; i++)
            slots[i] = (T.CreateTruncating(ctx.Reader.ReadDouble()), T.CreateTruncating(ctx.Reader.ReadDouble()));
        return new AffineFunction<T>(isVector, slots);
    }
}
