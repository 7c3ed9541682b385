// The names stand here one by one since Smae.Export compiles this file too, without the usings that this project has for all files.
using RoundingMode = TorchSharp.torch.RoundingMode;
using Scalar = TorchSharp.Scalar;
using ScalarExtensionMethods = TorchSharp.ScalarExtensionMethods;
using ScalarType = TorchSharp.torch.ScalarType;
using Tensor = TorchSharp.torch.Tensor;

namespace Smae.Training;

/// <summary>
/// Arithmetic of tensors with numbers, instead of TorchSharp's operators. Each method calls the same function of libtorch, with a number of the same type.
/// </summary>
/// <remarks>
/// TorchSharp 0.107 hands libtorch the bare pointer of a <see cref="Scalar"/> and then forgets the object: if another thread collects garbage at that moment, the
/// finaliser frees the number while libtorch reads it, which gives wrong results or ends the process (dotnet/TorchSharp pull requests 1434 and 1496). Many of its
/// methods make such a number where none is seen: <c>a + b</c> of two tensors is <c>a + 1 * b</c>. Here a <see cref="Scalar"/> lives until the call is over:
/// each method takes one of its own, as a C# number becomes one, and disposes of it. <c>ScalarTests</c> reads the compiled code for what goes round this.
/// </remarks>
internal static class TensorArithmetic
{
    private static readonly Scalar s_one = 1, s_two = 2;

    public static Tensor Plus(this Tensor left, Tensor right) => left.add(right, s_one);

    /// <summary>The sum with a multiple of another tensor.</summary>
    public static Tensor Plus(this Tensor left, Tensor right, Scalar times) { using (times) return left.add(right, times); }

    public static Tensor Plus(this Tensor left, Scalar right) { using (right) return left.add(right, s_one); }

    public static Tensor Minus(this Tensor left, Scalar right) { using (right) return left.sub(right); }

    /// <summary>A number less the tensor.</summary>
    public static Tensor SubtractedFrom(this Tensor right, Scalar left) { using (left) return right.negative().add(left, s_one); }

    public static Tensor Times(this Tensor left, Scalar right) { using (right) return left.mul(right); }

    public static Tensor DividedBy(this Tensor left, Scalar right, RoundingMode rounding = RoundingMode.None) { using (right) return left.div(right, rounding); }

    /// <summary>What is left of a division, of the sign of the divisor.</summary>
    public static Tensor Modulo(this Tensor left, Scalar right) { using (right) return left.remainder(right); }

    public static Tensor Squared(this Tensor tensor) => tensor.pow(s_two);

    public static Tensor Clamped(this Tensor tensor, Scalar min, Scalar max) { using (min) using (max) return tensor.clamp(min, max); }

    /// <summary>The tensor, with smaller numbers raised to a least one.</summary>
    public static Tensor AtLeast(this Tensor tensor, Scalar min) { using (min) return tensor.clamp_min(min); }

    /// <summary>The tensor, with larger numbers lowered to a greatest one.</summary>
    public static Tensor AtMost(this Tensor tensor, Scalar max) { using (max) return tensor.clamp_max(max); }

    /// <summary>The tensor, with a number where the mask is true.</summary>
    public static Tensor Masked(this Tensor tensor, Tensor mask, Scalar value) { using (value) return tensor.masked_fill(mask, value); }

    public static Tensor AddInPlace(this Tensor left, Tensor right) => left.add_(right, s_one);

    /// <summary>Adds a multiple of another tensor.</summary>
    public static Tensor AddInPlace(this Tensor left, Tensor right, Scalar times) { using (times) return left.add_(right, times); }

    public static Tensor AddInPlace(this Tensor left, Scalar right) { using (right) return left.add_(right, s_one); }

    /// <summary>Adds a multiple of a product.</summary>
    public static Tensor AddProductInPlace(this Tensor left, Tensor first, Tensor second, Scalar times) { using (times) return left.addcmul_(first, second, times); }

    /// <summary>Adds a multiple of a quotient.</summary>
    public static Tensor AddQuotientInPlace(this Tensor left, Tensor dividend, Tensor divisor, Scalar times)
    {
        using (times) return left.addcdiv_(dividend, divisor, times);
    }

    public static Tensor SubtractInPlace(this Tensor left, Scalar right) { using (right) return left.sub_(right); }

    public static Tensor MultiplyInPlace(this Tensor left, Scalar right) { using (right) return left.mul_(right); }

    public static Tensor DivideInPlace(this Tensor left, Scalar right) { using (right) return left.div_(right); }

    public static Tensor ModuloInPlace(this Tensor left, Scalar right) { using (right) return left.remainder_(right); }

    public static Tensor ClampInPlace(this Tensor tensor, Scalar min, Scalar max) { using (min) using (max) return tensor.clamp_(min, max); }

    public static Tensor IsEqualTo(this Tensor left, Scalar right) { using (right) return left.eq(right); }

    public static Tensor IsAbove(this Tensor left, Scalar right) { using (right) return left.gt(right); }

    public static Tensor IsAtLeast(this Tensor left, Scalar right) { using (right) return left.ge(right); }

    public static Tensor IsBelow(this Tensor left, Scalar right) { using (right) return left.lt(right); }

    /// <summary>A tensor of one number in all places.</summary>
    public static Tensor Full(long[] shape, Scalar value, ScalarType type, TorchSharp.torch.Device? device = null)
    {
        using (value) return TorchSharp.torch.full(shape, value, type, device);
    }

    /// <summary>The whole numbers from 0 on, so many.</summary>
    public static Tensor Range(long count, ScalarType type, TorchSharp.torch.Device? device = null) => Range(0, count, type, device);

    /// <summary>The whole numbers from one to before another.</summary>
    public static Tensor Range(long from, long to, ScalarType type, TorchSharp.torch.Device? device = null)
    {
        using Scalar first = from, end = to;
        return TorchSharp.torch.arange(first, end, s_one, type, device);
    }

    /// <summary>The number in a tensor of one.</summary>
    public static double AsDouble(this Tensor number)
    {
        using Scalar scalar = number.ToScalar();
        return ScalarExtensionMethods.ToDouble(scalar);
    }

    /// <inheritdoc cref="AsDouble"/>
    public static long AsInt64(this Tensor number)
    {
        using Scalar scalar = number.ToScalar();
        return ScalarExtensionMethods.ToInt64(scalar);
    }

    /// <inheritdoc cref="AsDouble"/>
    public static bool AsBoolean(this Tensor number)
    {
        using Scalar scalar = number.ToScalar();
        return ScalarExtensionMethods.ToBoolean(scalar);
    }
}
