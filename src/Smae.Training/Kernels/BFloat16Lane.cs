using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Smae.Training;

/// <summary>bfloat16, the upper half of a float32; rounded to the nearest, ties to even, as libtorch does.</summary>
internal readonly struct BFloat16Lane : ILane<ushort>
{
    public static unsafe Vector512<float> Load(ushort* from) =>
        Vector512.ShiftLeft(Avx512F.ConvertToVector512UInt32(Vector256.Load(from)), 16).AsSingle();

    public static unsafe void Store(Vector512<float> values, ushort* to)
    {
        Vector512<uint> bits = values.AsUInt32();
        bits += Vector512.Create(0x7fffu) + (Vector512.ShiftRightLogical(bits, 16) & Vector512<uint>.One);
        Avx512F.ConvertToVector256UInt16(Vector512.ShiftRightLogical(bits, 16)).Store(to);
    }

    public static float Read(ushort value) => BitConverter.UInt32BitsToSingle((uint)value << 16);

    public static ushort Round(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }
}
