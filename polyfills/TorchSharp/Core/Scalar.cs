using System.Numerics;
using TorchSharp.Interop;

namespace TorchSharp;

/// <summary>A number that is an argument of an operator.</summary>
public sealed class Scalar : IDisposable
{
    private readonly Arg value;
    private bool disposed;

    internal Scalar(Arg value) => this.value = value;

    public static implicit operator Scalar(byte value) => value.ToScalar();
    public static implicit operator Scalar(sbyte value) => value.ToScalar();
    public static implicit operator Scalar(short value) => value.ToScalar();
    public static implicit operator Scalar(int value) => value.ToScalar();
    public static implicit operator Scalar(long value) => value.ToScalar();
    public static implicit operator Scalar(Half value) => value.ToScalar();
    public static implicit operator Scalar(float value) => value.ToScalar();
    public static implicit operator Scalar(double value) => value.ToScalar();
    public static implicit operator Scalar(bool value) => value.ToScalar();
    public static implicit operator Scalar((float, float) value) => value.ToScalar();
    public static implicit operator Scalar(Complex value) => value.ToScalar();

    /// <summary>The widest element type of this kind of number, which is all that libtorch keeps of it.</summary>
    public torch.ScalarType Type => ToArg().Value.Kind switch
    {
        ValueKind.Bool => torch.ScalarType.Bool,
        ValueKind.Int => torch.ScalarType.Int64,
        ValueKind.Complex => torch.ScalarType.ComplexFloat64,
        _ => torch.ScalarType.Float64,
    };

    public void Dispose() => disposed = true;

    internal Arg ToArg() => disposed ? throw new InvalidOperationException("Scalar invalid -- empty handle.") : value;

    internal Complex ToComplex() => ToArg().Value is var held && held.Kind == ValueKind.Complex ? new Complex(held.Real, held.Imaginary) : ToReal();

    internal double ToReal()
    {
        var held = ToArg().Value;
        return held.Kind switch
        {
            ValueKind.Double => held.Real,
            ValueKind.Complex when held.Imaginary == 0 => held.Real,
            ValueKind.Complex => throw new OverflowException("The number has an imaginary part."),
            _ => held.Integer,
        };
    }

    internal long ToInteger() => ToArg().Value is var held && held.Kind is ValueKind.Int or ValueKind.Bool ? held.Integer : checked((long)ToReal());
}
