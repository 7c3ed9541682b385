using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Fourier transforms.</summary>
    public static partial class fft
    {
        public static Tensor fft_(Tensor input, long n = -1, long dim = -1, FFTNormType norm = FFTNormType.Backward) => One(Aten.fft_fft, input, n, dim, norm);
        public static Tensor ifft(Tensor input, long n = -1, long dim = -1, FFTNormType norm = FFTNormType.Backward) => One(Aten.fft_ifft, input, n, dim, norm);
        public static Tensor rfft(Tensor input, long n = -1, long dim = -1, FFTNormType norm = FFTNormType.Backward) => One(Aten.fft_rfft, input, n, dim, norm);
        public static Tensor irfft(Tensor input, long n = -1, long dim = -1, FFTNormType norm = FFTNormType.Backward) => One(Aten.fft_irfft, input, n, dim, norm);

        public static Tensor fft2(Tensor input, long[]? s = null, long[]? dim = null, FFTNormType norm = FFTNormType.Backward) => Two(Aten.fft_fft2, input, s, dim, norm);
        public static Tensor ifft2(Tensor input, long[]? s = null, long[]? dim = null, FFTNormType norm = FFTNormType.Backward) => Two(Aten.fft_ifft2, input, s, dim, norm);
        public static Tensor rfft2(Tensor input, long[]? s = null, long[]? dim = null, FFTNormType norm = FFTNormType.Backward) => Two(Aten.fft_rfft2, input, s, dim, norm);
        public static Tensor irfft2(Tensor input, long[]? s = null, long[]? dim = null, FFTNormType norm = FFTNormType.Backward) => Two(Aten.fft_irfft2, input, s, dim, norm);

        public static Tensor fftn(Tensor input, long[]? s = null, long[]? dim = null, FFTNormType norm = FFTNormType.Backward) => Aten.fft_fftn.Call(input, s, dim, Name(norm));
        public static Tensor ifftn(Tensor input, long[]? s = null, long[]? dim = null, FFTNormType norm = FFTNormType.Backward) => Aten.fft_ifftn.Call(input, s, dim, Name(norm));
        public static Tensor rfftn(Tensor input, long[]? s = null, long[]? dim = null, FFTNormType norm = FFTNormType.Backward) => Aten.fft_rfftn.Call(input, s, dim, Name(norm));
        public static Tensor irfftn(Tensor input, long[]? s = null, long[]? dim = null, FFTNormType norm = FFTNormType.Backward) => Aten.fft_irfftn.Call(input, s, dim, Name(norm));

        public static Tensor fftshift(Tensor input, long[]? dim = null) => Aten.fft_fftshift.Call(input, dim);
        public static Tensor ifftshift(Tensor input, long[]? dim = null) => Aten.fft_ifftshift.Call(input, dim);

        public static Tensor fftfreq(long n, double d = 1.0, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            Finished(Aten.fft_fftfreq.Call(n, d, dtype ?? default_dtype, Arg.None, InitializeDevice(device)), requires_grad);

        public static Tensor rfftfreq(long n, double d = 1.0, ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            Finished(Aten.fft_rfftfreq.Call(n, d, dtype ?? default_dtype, Arg.None, InitializeDevice(device)), requires_grad);

        private static Tensor One(Operator op, Tensor input, long n, long dim, FFTNormType norm) => op.Call(input, n == -1 ? Arg.None : n, dim, Name(norm));

        private static Tensor Two(Operator op, Tensor input, long[]? s, long[]? dim, FFTNormType norm) =>
            input.Dimensions >= 2 ? op.Call(input, s, dim ?? [-2, -1], Name(norm)) : throw new ArgumentException("The input should be at least 2D.");

        private static string Name(FFTNormType norm) => norm switch { FFTNormType.Forward => "forward", FFTNormType.Ortho => "ortho", _ => "backward" };
    }
}
