using System.Runtime.InteropServices;

namespace TorchSharp.Interop;

/// <summary>One argument or result of a native call, laid out as the native library's Value.</summary>
[StructLayout(LayoutKind.Explicit, Size = 24)]
internal struct NativeValue
{
    [FieldOffset(0)] public ValueKind Kind;
    [FieldOffset(8)] public long Integer;
    [FieldOffset(8)] public double Real;
    [FieldOffset(8)] public nint Pointer;
    [FieldOffset(16)] public long Length;
    [FieldOffset(16)] public double Imaginary;
}
