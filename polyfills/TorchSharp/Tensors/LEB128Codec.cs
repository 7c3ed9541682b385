namespace TorchSharp.Utils;

/// <summary>Whole numbers in as few bytes as they need: seven bits a byte, lowest first.</summary>
internal static class LEB128Codec
{
    public static void Encode(this BinaryWriter writer, long value)
    {
        if (value < 0) throw new NotImplementedException("LEB128 encoding of negative numbers");
        writer.Write7BitEncodedInt64(value);
    }

    public static long Decode(this BinaryReader reader) => reader.Read7BitEncodedInt64();
}
