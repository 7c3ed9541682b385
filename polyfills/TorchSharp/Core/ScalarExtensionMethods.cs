using System.Numerics;

namespace TorchSharp;

/// <summary>Conversions between numbers and <see cref="Scalar"/>.</summary>
public static class ScalarExtensionMethods
{
    public static Scalar ToScalar(this byte value) => new((long)value);
    public static Scalar ToScalar(this sbyte value) => new((long)value);
    public static Scalar ToScalar(this short value) => new((long)value);
    public static Scalar ToScalar(this int value) => new((long)value);
    public static Scalar ToScalar(this long value) => new(value);
    public static Scalar ToScalar(this float value) => new((double)value);
    public static Scalar ToScalar(this double value) => new(value);
    public static Scalar ToScalar(this Half value) => new((double)value);
    public static Scalar ToScalar(this bool value) => new(value);
    public static Scalar ToScalar(this (float, float) value) => new(new Complex(value.Item1, value.Item2));
    public static Scalar ToScalar(this Complex value) => new(value);

    /// <summary>The nearest number that bfloat16 holds.</summary>
    public static Scalar ToBFloat16Scalar(this float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        if (!float.IsNaN(value)) bits += 0x7FFF + ((bits >> 16) & 1); // to nearest, ties to even
        return BitConverter.UInt32BitsToSingle(bits & 0xFFFF0000).ToScalar();
    }

    public static Half ToHalf(this Scalar value) => (Half)value.ToReal();
    public static float ToSingle(this Scalar value) => (float)value.ToReal();
    public static double ToDouble(this Scalar value) => value.ToReal();
    public static sbyte ToSByte(this Scalar value) => checked((sbyte)value.ToInteger());
    public static byte ToByte(this Scalar value) => checked((byte)value.ToInteger());
    public static short ToInt16(this Scalar value) => checked((short)value.ToInteger());
    public static int ToInt32(this Scalar value) => checked((int)value.ToInteger());
    public static long ToInt64(this Scalar value) => value.ToInteger();
    public static bool ToBoolean(this Scalar value) => value.ToComplex() != Complex.Zero;
    public static (float Real, float Imaginary) ToComplexFloat32(this Scalar value) => ((float)value.ToComplex().Real, (float)value.ToComplex().Imaginary);
    public static Complex ToComplexFloat64(this Scalar value) => value.ToComplex();
}
