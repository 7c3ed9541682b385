using System.Numerics;
using System.Text;
using static TorchSharp.torch;

namespace TorchSharp.Interop;

/// <summary>An argument of an <see cref="Operator"/>: a value, and the object that must stay alive while the call runs.</summary>
internal readonly struct Arg
{
    /// <summary>The value; where it is a list, its length only, for the memory is laid out at the call.</summary>
    public readonly NativeValue Value;

    /// <summary>The tensor, generator, array or tensors behind the value.</summary>
    public readonly object? Source;

    private Arg(NativeValue value, object? source = null) => (Value, Source) = (value, source);

    private Arg(ValueKind kind, long integer) : this(new NativeValue { Kind = kind, Integer = integer }) { }

    private Arg(ValueKind kind, Array list) : this(new NativeValue { Kind = kind, Length = list.Length }, list) { }

    public static Arg None => default;

    public static Arg Ellipsis => new(ValueKind.Ellipsis, 0);

    public static implicit operator Arg(bool value) => new(ValueKind.Bool, value ? 1 : 0);
    public static implicit operator Arg(int value) => new(ValueKind.Int, value);
    public static implicit operator Arg(long value) => new(ValueKind.Int, value);
    public static implicit operator Arg(long? value) => value is { } given ? given : None;
    public static implicit operator Arg(int? value) => value is { } given ? given : None;
    public static implicit operator Arg(double value) => new(new NativeValue { Kind = ValueKind.Double, Real = value });
    public static implicit operator Arg(double? value) => value is { } given ? given : None;
    public static implicit operator Arg(Complex value) => new(new NativeValue { Kind = ValueKind.Complex, Real = value.Real, Imaginary = value.Imaginary });
    public static implicit operator Arg(ScalarType value) => new(ValueKind.Int, (long)value);
    public static implicit operator Arg(ScalarType? value) => value is { } given ? given : None;
    public static implicit operator Arg(Scalar? value) => value is null ? None : value.ToArg();
    public static implicit operator Arg(Tensor? value) => value is null ? None : new(new NativeValue { Kind = ValueKind.Tensor, Pointer = value.Handle }, value);
    public static implicit operator Arg(Generator? value) => value is null ? None : new(new NativeValue { Kind = ValueKind.Generator, Pointer = value.Handle }, value);
    public static implicit operator Arg(Device? value) => value is null ? None : new(new NativeValue { Kind = ValueKind.Device, Integer = (long)value.type, Length = value.index });
    public static implicit operator Arg(string? value) => value is null ? None : new(ValueKind.Text, Encoding.UTF8.GetBytes(value));
    public static implicit operator Arg(long[]? value) => value is null ? None : new(ValueKind.Ints, value);
    public static implicit operator Arg(ReadOnlySpan<long> value) => value.ToArray();
    public static implicit operator Arg(double[]? value) => value is null ? None : new(ValueKind.Doubles, value);
    public static implicit operator Arg(Tensor?[] value) => new(ValueKind.Tensors, value);

    /// <summary>The number of 8-byte words that the list in this argument needs at the call.</summary>
    public int Words => Source switch { byte[] text => (text.Length + 7) / 8, Array list => list.Length, _ => 0 };

    /// <summary>Writes the list in this argument to the words given.</summary>
    public void CopyTo(Span<long> words)
    {
        switch (Source)
        {
            case long[] integers: integers.CopyTo(words); break;
            case double[] reals: reals.CopyTo(System.Runtime.InteropServices.MemoryMarshal.Cast<long, double>(words)); break;
            case byte[] text: text.CopyTo(System.Runtime.InteropServices.MemoryMarshal.AsBytes(words)); break;
            case Tensor?[] tensors:
                for (int i = 0; i < tensors.Length; i++) words[i] = tensors[i] is { } tensor ? tensor.Handle : 0;
                break;
        }
    }
}
