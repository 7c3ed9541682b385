namespace TorchSharp.Interop;

/// <summary>What a <see cref="NativeValue"/> holds; the numbers are those of the native library.</summary>
internal enum ValueKind
{
    None = 0,
    Tensor = 1,
    Int = 2,
    Double = 3,
    Bool = 4,
    Complex = 5,
    Ints = 6,
    Doubles = 7,
    Tensors = 8,
    Device = 9,
    Text = 10,
    Generator = 11,
    Ellipsis = 12,
}
