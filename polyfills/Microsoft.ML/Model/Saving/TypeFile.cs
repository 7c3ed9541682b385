using Microsoft.ML.Data;

namespace Microsoft.ML;

/// <summary>Writes column types and reads them back.</summary>
internal static class TypeFile
{
    private const byte RowIdCode = 100;
    private const byte KeyCode = 101;
    private const byte VectorCode = 102;

    public static void Write(BinaryWriter writer, DataViewType type)
    {
        switch (type)
        {
            case VectorDataViewType vector:
                writer.Write(VectorCode);
                Write(writer, vector.ItemType);
                writer.Write(vector.Dimensions.Length);
                foreach (int dimension in vector.Dimensions)
                    writer.Write(dimension);
                break;
            case KeyDataViewType key:
                writer.Write(KeyCode);
                writer.Write((byte)key.RawType.ToDataKind().Value);
                writer.Write(key.Count);
                break;
            case RowIdDataViewType:
                writer.Write(RowIdCode);
                break;
            default:
                writer.Write((byte)type.RawType.ToDataKind().Value);
                break;
        }
    }

    public static DataViewType Read(BinaryReader reader)
    {
        byte code = reader.ReadByte();
        switch (code)
        {
            case VectorCode:
                var itemType = (PrimitiveDataViewType)Read(reader);
                var dimensions = new int[reader.ReadInt32()];
                for (int i = 0; i < dimensions.Length; i++)
                    dimensions[i] = reader.ReadInt32();
                return new VectorDataViewType(itemType, dimensions);
            case KeyCode:
                Type rawType = ((DataKind)reader.ReadByte()).ToPrimitiveType().RawType;
                return new KeyDataViewType(rawType, reader.ReadUInt64());
            case RowIdCode:
                return RowIdDataViewType.Instance;
            default:
                return ((DataKind)code).ToPrimitiveType();
        }
    }
}
