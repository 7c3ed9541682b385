namespace Smae.Training;

/// <summary>A cyclic redundancy check of 32 bits, reflected, with all ones before and after: that of PNG and that of TensorBoard's files.</summary>
internal sealed class Crc32
{
    private readonly uint[] _table = new uint[256];

    private Crc32(uint polynomial)
    {
        for (uint i = 0; i < 256; i++)
        {
            uint c = i;
            for (int bit = 0; bit < 8; bit++) c = (c & 1) == 0 ? c >> 1 : polynomial ^ (c >> 1);
            _table[i] = c;
        }
    }

    /// <summary>CRC-32 of zip and PNG.</summary>
    public static Crc32 Ieee { get; } = new(0xEDB88320);

    /// <summary>CRC-32C (Castagnoli).</summary>
    public static Crc32 Castagnoli { get; } = new(0x82F63B78);

    /// <summary>The check of bytes that stand in two places, one after the other.</summary>
    public uint Of(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default) => ~Continue(Continue(~0u, first), second);

    private uint Continue(uint crc, ReadOnlySpan<byte> data)
    {
        foreach (byte b in data) crc = _table[(byte)(crc ^ b)] ^ (crc >> 8);
        return crc;
    }
}
