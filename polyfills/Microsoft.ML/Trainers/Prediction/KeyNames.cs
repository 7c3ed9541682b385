using System.Runtime.InteropServices;
using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>The values that the keys of a label stand for.</summary>
internal abstract class KeyNames
{
    private protected KeyNames(VectorDataViewType type) => Type = type;

    /// <summary>Of text, or of what else the labels were.</summary>
    public VectorDataViewType Type { get; }

    /// <summary>The names of a label, null if it has none.</summary>
    public static KeyNames Of(DataViewSchema.Column label) =>
        label.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.KeyValues)?.Type is VectorDataViewType { IsKnownSize: true } type
            ? Generic.Invoke<KeyNames>(Read<int>, type.ItemType.RawType, label, type)
            : null;

    public static KeyNames Load(IExceptionContext ctx, BinaryReader reader)
    {
        var kind = (DataKind)reader.ReadByte();
        ctx.CheckDecode(Enum.IsDefined(kind));
        PrimitiveDataViewType itemType = kind.ToPrimitiveType();
        int count = reader.ReadInt32();
        if (itemType is TextDataViewType)
            return new Values<ReadOnlyMemory<char>>(itemType, [.. Enumerable.Range(0, count).Select(_ => reader.ReadString().AsMemory())]);
        return Generic.Invoke<KeyNames>(LoadValues<int>, itemType.RawType, itemType, count, reader);
    }

    public abstract void Save(BinaryWriter writer);

    public abstract void AddTo(DataViewSchema.Annotations.Builder builder, string kind);

    private static KeyNames Read<T>(DataViewSchema.Column label, VectorDataViewType type)
    {
        VBuffer<T> values = default;
        label.GetKeyValues(ref values);
        return new Values<T>(type.ItemType, [.. values.DenseValues()]);
    }

    private static KeyNames LoadValues<T>(PrimitiveDataViewType itemType, int count, BinaryReader reader)
        where T : unmanaged
    {
        var values = new T[count];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        return new Values<T>(itemType, values);
    }

    private static object SaveValues<T>(BinaryWriter writer, T[] values)
        where T : unmanaged
    {
        writer.Write(MemoryMarshal.AsBytes(values.AsSpan()));
        return null;
    }

    private sealed class Values<T>(PrimitiveDataViewType itemType, T[] values) : KeyNames(new VectorDataViewType(itemType, values.Length))
    {
        public override void AddTo(DataViewSchema.Annotations.Builder builder, string kind) =>
            builder.Add(kind, Type, (ref VBuffer<T> dst) => new VBuffer<T>(values.Length, values).CopyTo(ref dst));

        public override void Save(BinaryWriter writer)
        {
            DataKind kind = typeof(T).ToDataKind() ?? throw Contracts.Except($"Labels of type {Type.ItemType} cannot be saved.");
            writer.Write((byte)kind);
            writer.Write(values.Length);
            if (values is ReadOnlyMemory<char>[] texts)
                Array.ForEach(texts, text => writer.Write(text.ToString()));
            else
                Generic.Invoke<object>(SaveValues<int>, typeof(T), writer, values);
        }
    }
}
