using System.Numerics;

namespace TorchSharp;

public static partial class torch
{
    // The wish for a gradient is lost here, as in the real library.
    public static Tensor tensor((float Real, float Imaginary) scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => tensor(scalar.Real, scalar.Imaginary, dtype, device);

    public static Tensor tensor(float real, float imaginary, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => FromScalar((real, imaginary), device, requires_grad, dtype);

    public static Tensor tensor(Complex scalar, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) => FromScalar(scalar, device, requires_grad, dtype);

    public static Tensor tensor((float Real, float Imaginary)[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        Copied((ReadOnlySpan<(float, float)>)rawArray, [rawArray.LongLength], dtype, device, requires_grad, names);

    public static Tensor tensor(Complex[] rawArray, ScalarType? dtype = null, Device? device = null, bool requires_grad = false, string[]? names = null) =>
        Copied((ReadOnlySpan<Complex>)rawArray, [rawArray.LongLength], dtype, device, requires_grad, names);
}
