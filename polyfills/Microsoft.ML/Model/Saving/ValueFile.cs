using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using Microsoft.ML.Internal.Utilities;

namespace Microsoft.ML;

/// <summary>Writes single values of columns and reads them back.</summary>
internal static class ValueFile
{
    /// <summary>Writes what a getter gives.</summary>
    public static void Write(BinaryWriter writer, DataViewType type, Delegate getter) =>
        Generic.Invoke<object>(type is VectorDataViewType ? WriteVector<int> : WriteScalar<int>, type.GetItemType().RawType, writer, getter);

    /// <summary>Reads a value and makes a getter that gives it.</summary>
    public static Delegate Read(BinaryReader reader, DataViewType type) =>
        Generic.Invoke<Delegate>(type is VectorDataViewType ? ReadVector<int> : ReadScalar<int>, type.GetItemType().RawType, reader);

    public static void WriteItem<T>(BinaryWriter writer, T value)
    {
        if (value is ReadOnlyMemory<char> text)
        {
            writer.Write(text.ToString());
            return;
        }

        Span<byte> bytes = stackalloc byte[Unsafe.SizeOf<T>()];
        Unsafe.WriteUnaligned(ref MemoryMarshal.GetReference(bytes), value);
        writer.Write(bytes);
    }

    public static T ReadItem<T>(BinaryReader reader)
    {
        if (typeof(T) == typeof(ReadOnlyMemory<char>))
            return (T)(object)reader.ReadString().AsMemory();
        byte[] bytes = reader.ReadBytes(Unsafe.SizeOf<T>());
        return Unsafe.ReadUnaligned<T>(ref bytes[0]);
    }

    public static void WriteItems<T>(BinaryWriter writer, in VBuffer<T> vector)
    {
        writer.Write(vector.Length);
        foreach (T item in vector.DenseValues())
            WriteItem(writer, item);
    }

    public static VBuffer<T> ReadItems<T>(BinaryReader reader)
    {
        var items = new T[reader.ReadInt32()];
        for (int i = 0; i < items.Length; i++)
            items[i] = ReadItem<T>(reader);
        return new VBuffer<T>(items.Length, items);
    }

    private static object WriteScalar<T>(BinaryWriter writer, Delegate getter)
    {
        T value = default;
        ((ValueGetter<T>)getter)(ref value);
        WriteItem(writer, value);
        return null;
    }

    private static object WriteVector<T>(BinaryWriter writer, Delegate getter)
    {
        VBuffer<T> value = default;
        ((ValueGetter<VBuffer<T>>)getter)(ref value);
        WriteItems(writer, value);
        return null;
    }

    private static Delegate ReadScalar<T>(BinaryReader reader)
    {
        T value = ReadItem<T>(reader);
        return (ValueGetter<T>)((ref T dst) => dst = value);
    }

    private static Delegate ReadVector<T>(BinaryReader reader)
    {
        VBuffer<T> value = ReadItems<T>(reader);
        return (ValueGetter<VBuffer<T>>)((ref VBuffer<T> dst) => value.CopyTo(ref dst));
    }
}
