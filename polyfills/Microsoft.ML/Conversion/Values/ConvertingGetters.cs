using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Getters that deliver a column as another type.</summary>
internal static class ConvertingGetters
{
    /// <summary>The getter of a scalar column as another type.</summary>
    public static ValueGetter<TDst> GetScalar<TDst>(PrimitiveDataViewType destination, DataViewRow row, int col)
    {
        DataViewType source = row.Schema[col].Type;
        Contracts.Check(source is PrimitiveDataViewType, "Source column type must be primitive");
        return Generic.Invoke<ValueGetter<TDst>>(Scalar<int, TDst>, [source.RawType, typeof(TDst)], destination, row, col);
    }

    /// <summary>The getter of a vector column with items of another type.</summary>
    public static ValueGetter<VBuffer<TDst>> GetVector<TDst>(PrimitiveDataViewType destination, DataViewRow row, int col)
    {
        Contracts.Check(row.Schema[col].Type is VectorDataViewType, "Source column type must be vector");
        return Generic.Invoke<ValueGetter<VBuffer<TDst>>>(
            Vector<int, TDst>, [row.Schema[col].Type.GetItemType().RawType, typeof(TDst)], destination, row, col);
    }

    /// <summary>The same for a type known only at run time.</summary>
    public static Delegate Get(PrimitiveDataViewType destination, DataViewRow row, int col)
    {
        bool isVector = row.Schema[col].Type is VectorDataViewType;
        return Generic.Invoke<Delegate>(
            isVector ? Vector<int, int> : Scalar<int, int>,
            [row.Schema[col].Type.GetItemType().RawType, destination.RawType], destination, row, col);
    }

    private static ValueGetter<TDst> Scalar<TSrc, TDst>(PrimitiveDataViewType destination, DataViewRow row, int col)
    {
        DataViewSchema.Column column = row.Schema[col];
        ValueGetter<TSrc> getter = row.GetGetter<TSrc>(column);
        if (getter is ValueGetter<TDst> same)
            return same;
        Func<TSrc, TDst> convert = Find<TSrc, TDst>(column.Type, destination);
        TSrc value = default;
        return (ref TDst dst) =>
        {
            getter(ref value);
            dst = convert(value);
        };
    }

    private static ValueGetter<VBuffer<TDst>> Vector<TSrc, TDst>(PrimitiveDataViewType destination, DataViewRow row, int col)
    {
        DataViewSchema.Column column = row.Schema[col];
        ValueGetter<VBuffer<TSrc>> getter = row.GetGetter<VBuffer<TSrc>>(column);
        if (getter is ValueGetter<VBuffer<TDst>> same)
            return same;
        Func<TSrc, TDst> convert = Find<TSrc, TDst>(column.Type.GetItemType(), destination);
        int size = column.Type.GetVectorSize();
        VBuffer<TSrc> source = default;
        return (ref VBuffer<TDst> dst) =>
        {
            getter(ref source);
            Contracts.Check(size == 0 || source.Length == size);
            ReadOnlySpan<TSrc> values = source.GetValues();
            VBufferEditor<TDst> editor = VBufferEditor.Create(ref dst, source.Length, values.Length);
            for (int i = 0; i < values.Length; i++)
                editor.Values[i] = convert(values[i]);
            source.GetIndices().CopyTo(editor.Indices);
            dst = editor.Commit();
        };
    }

    private static Func<TSrc, TDst> Find<TSrc, TDst>(DataViewType source, DataViewType destination) =>
        ValueConversions.Find<TSrc, TDst>(source, destination)
        ?? throw Contracts.Except($"There is no conversion from '{source}' to '{destination}'");
}
