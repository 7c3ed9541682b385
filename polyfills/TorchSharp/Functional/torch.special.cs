namespace TorchSharp;

public static partial class torch
{
    /// <summary>Special functions.</summary>
    public static partial class special
    {
        public static Tensor erf(Tensor input) => input.erf();

        public static Tensor erfc(Tensor input) => input.erfc();

        public static Tensor erfinv(Tensor input) => input.erfinv();

        public static Tensor expm1(Tensor input) => input.expm1();

        public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);

        public static Tensor log_softmax(Tensor input, long dim, ScalarType? dtype = null) => input.log_softmax(dim, dtype);

        /// <summary>The error function of a number, by libtorch, for .NET has none.</summary>
        internal static double erf(double x)
        {
            using var value = tensor(x, ScalarType.Float64);
            using var result = value.erf();
            return result.ToDouble();
        }
    }
}
