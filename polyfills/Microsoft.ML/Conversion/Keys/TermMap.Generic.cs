using Microsoft.ML.Data;
using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <inheritdoc/>
internal sealed class TermMap<T> : TermMap
{
    private readonly T[] _terms;
    private readonly Dictionary<T, uint> _keys = new(TermComparer.Of<T>());

    public TermMap(PrimitiveDataViewType itemType, T[] terms)
        : base(itemType)
    {
        _terms = terms;
        for (int i = 0; i < terms.Length; i++)
            _keys[terms[i]] = (uint)i + 1;
    }

    public override int Count => _terms.Length;

    public override void Save(ModelSaveContext ctx)
    {
        TypeFile.Write(ctx.Writer, ItemType);
        ValueFile.WriteItems(ctx.Writer, new VBuffer<T>(_terms.Length, _terms));
    }

    public override Delegate CreateGetter(DataViewRow row, int col)
    {
        DataViewSchema.Column column = row.Schema[col];
        return column.Type is VectorDataViewType vector
            ? Vector(row.GetGetter<VBuffer<T>>(column), vector, column.Name)
            : Scalar(row.GetGetter<T>(column));
    }

    public override void AddKeyValues(DataViewSchema.Annotations.Builder annotations, DataViewSchema.Column source, bool asText)
    {
        if (_terms.Length == 0)
            return;
        // Keys of keys have the values of those keys, where these are known.
        if (ItemType is KeyDataViewType key
            && source.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.KeyValues)?.Type is VectorDataViewType values
            && (ulong)values.Size == key.Count)
        {
            Generic.Invoke<object>(AddSourceValues<int>, values.ItemType.RawType, annotations, source, values.ItemType, asText);
            return;
        }

        Add(annotations, ItemType, _terms, asText);
    }

    private static void Add<TValue>(DataViewSchema.Annotations.Builder annotations, PrimitiveDataViewType type, TValue[] values, bool asText)
    {
        if (asText && type is not TextDataViewType)
        {
            ReadOnlyMemory<char>[] texts = [.. values.Select(v => TermText.Of(v, type).AsMemory())];
            Add(annotations, TextDataViewType.Instance, texts, asText);
            return;
        }

        annotations.AddKeyValues<TValue>(values.Length, type, (ref VBuffer<TValue> dst) => VBuffer<TValue>.Copy(values, 0, ref dst, values.Length));
    }

    private object AddSourceValues<TValue>(
        DataViewSchema.Annotations.Builder annotations, DataViewSchema.Column source, PrimitiveDataViewType type, bool asText)
    {
        VBuffer<TValue> known = default;
        source.GetKeyValues(ref known);
        Add(annotations, type, [.. _terms.Select(t => known.GetItemOrDefault((int)Convert.ToUInt64(t) - 1))], asText);
        return null;
    }

    private uint KeyOf(T value) => _keys.TryGetValue(value, out uint key) ? key : 0;

    private ValueGetter<uint> Scalar(ValueGetter<T> getter)
    {
        T value = default;
        return (ref uint dst) =>
        {
            getter(ref value);
            dst = KeyOf(value);
        };
    }

    private ValueGetter<VBuffer<uint>> Vector(ValueGetter<VBuffer<T>> getter, VectorDataViewType type, string name)
    {
        VBuffer<T> source = default;
        uint keyOfDefault = KeyOf(default);
        return (ref VBuffer<uint> dst) =>
        {
            getter(ref source);
            if (type.Size != 0 && source.Length != type.Size)
                throw Contracts.Except($"Column '{name}' has {source.Length} slots instead of {type.Size}");
            if (source.IsDense || keyOfDefault != 0)
            {
                VBufferEditor<uint> dense = VBufferEditor.Create(ref dst, source.Length);
                foreach ((int i, T value) in source.Items(all: true))
                    dense.Values[i] = KeyOf(value);
                dst = dense.Commit();
                return;
            }

            ReadOnlySpan<T> values = source.GetValues();
            VBufferEditor<uint> sparse = VBufferEditor.Create(ref dst, source.Length, values.Length);
            for (int i = 0; i < values.Length; i++)
                sparse.Values[i] = KeyOf(values[i]);
            source.GetIndices().CopyTo(sparse.Indices);
            dst = sparse.Commit();
        };
    }
}
