using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    // Functions of each element.
    public partial class Tensor
    {
        public Tensor abs() => Aten.abs.Call(this);
        public Tensor abs_() => Aten.abs.InPlace(this);
        public Tensor absolute() => abs();
        public Tensor absolute_() => abs_();
        public Tensor acos() => Aten.acos.Call(this);
        public Tensor acos_() => Aten.acos.InPlace(this);
        public Tensor arccos() => acos();
        public Tensor arccos_() => acos_();
        public Tensor asin() => Aten.asin.Call(this);
        public Tensor asin_() => Aten.asin.InPlace(this);
        public Tensor arcsin() => asin();
        public Tensor arcsin_() => asin_();
        public Tensor atan() => Aten.atan.Call(this);
        public Tensor atan_() => Aten.atan.InPlace(this);
        public Tensor arctan() => atan();
        public Tensor arctan_() => atan_();
        public Tensor acosh() => Aten.acosh.Call(this);
        public Tensor acosh_() => Aten.acosh.InPlace(this);
        public Tensor arccosh() => acosh();
        public Tensor arccosh_() => acosh_();
        public Tensor asinh() => Aten.asinh.Call(this);
        public Tensor asinh_() => Aten.asinh.InPlace(this);
        public Tensor arcsinh() => asinh();
        public Tensor arcsinh_() => asinh_();
        public Tensor atanh() => Aten.atanh.Call(this);
        public Tensor atanh_() => Aten.atanh.InPlace(this);
        public Tensor arctanh() => atanh();
        public Tensor arctanh_() => atanh_();
        public Tensor cos() => Aten.cos.Call(this);
        public Tensor cos_() => Aten.cos.InPlace(this);
        public Tensor cosh() => Aten.cosh.Call(this);
        public Tensor cosh_() => Aten.cosh.InPlace(this);
        public Tensor sin() => Aten.sin.Call(this);
        public Tensor sin_() => Aten.sin.InPlace(this);
        public Tensor sinh() => Aten.sinh.Call(this);
        public Tensor sinh_() => Aten.sinh.InPlace(this);
        public Tensor tan() => Aten.tan.Call(this);
        public Tensor tan_() => Aten.tan.InPlace(this);
        public Tensor tanh() => Aten.tanh.Call(this);
        public Tensor tanh_() => Aten.tanh.InPlace(this);
        public Tensor sinc() => Aten.sinc.Call(this);
        public Tensor sinc_() => Aten.sinc.InPlace(this);
        public Tensor angle() => Aten.angle.Call(this);
        public Tensor deg2rad() => Aten.deg2rad.Call(this);
        public Tensor rad2deg() => Aten.rad2deg.Call(this);

        public Tensor ceil() => Aten.ceil.Call(this);
        public Tensor ceil_() => Aten.ceil.InPlace(this);
        public Tensor floor() => Aten.floor.Call(this);
        public Tensor floor_() => Aten.floor.InPlace(this);
        public Tensor round(long decimals = 0) => Aten.round.Call(this, decimals);
        public Tensor round_(long decimals = 0) => Aten.round.InPlace(this, decimals);
        public Tensor trunc() => Aten.trunc.Call(this);
        public Tensor trunc_() => Aten.trunc.InPlace(this);
        public Tensor fix() => trunc();
        public Tensor fix_() => trunc_();
        public Tensor frac() => Aten.frac.Call(this);
        public Tensor frac_() => Aten.frac.InPlace(this);

        public Tensor exp() => Aten.exp.Call(this);
        public Tensor exp_() => Aten.exp.InPlace(this);
        public Tensor exp2() => Aten.exp2.Call(this);
        public Tensor expm1() => Aten.expm1.Call(this);
        public Tensor expm1_() => Aten.expm1.InPlace(this);
        public Tensor log() => Aten.log.Call(this);
        public Tensor log_() => Aten.log.InPlace(this);
        public Tensor log10() => Aten.log10.Call(this);
        public Tensor log10_() => Aten.log10.InPlace(this);
        public Tensor log1p() => Aten.log1p.Call(this);
        public Tensor log1p_() => Aten.log1p.InPlace(this);
        public Tensor log2() => Aten.log2.Call(this);
        public Tensor log2_() => Aten.log2.InPlace(this);
        public Tensor logit(double? eps = null) => Aten.logit.Call(this, eps);

        public Tensor neg() => Aten.neg.Call(this);
        public Tensor neg_() => Aten.neg.InPlace(this);
        public Tensor negative() => neg();
        public Tensor positive() => dtype == ScalarType.Bool ? throw new ArgumentException("Boolean tensor") : Aten.positive.Call(this);
        public Tensor reciprocal() => Aten.reciprocal.Call(this);
        public Tensor reciprocal_() => Aten.reciprocal.InPlace(this);
        public Tensor sqrt() => Aten.sqrt.Call(this);
        public Tensor sqrt_() => Aten.sqrt.InPlace(this);
        public Tensor rsqrt() => Aten.rsqrt.Call(this);
        public Tensor rsqrt_() => Aten.rsqrt.InPlace(this);
        public Tensor square() => pow(2);
        public Tensor sign() => Aten.sign.Call(this);
        public Tensor sign_() => Aten.sign.InPlace(this);
        public Tensor sgn() => Aten.sgn.Call(this);
        public Tensor sgn_() => Aten.sgn.InPlace(this);
        public Tensor signbit() => Aten.signbit.Call(this);

        public Tensor erf() => Aten.erf.Call(this);
        public Tensor erf_() => Aten.erf.InPlace(this);
        public Tensor erfc() => Aten.erfc.Call(this);
        public Tensor erfc_() => Aten.erfc.InPlace(this);
        public Tensor erfinv() => Aten.erfinv.Call(this);
        public Tensor erfinv_() => Aten.erfinv.InPlace(this);
        public Tensor digamma() => Aten.digamma.Call(this);
        public Tensor digamma_() => Aten.digamma.InPlace(this);
        public Tensor lgamma() => Aten.lgamma.Call(this);
        public Tensor lgamma_() => Aten.lgamma.InPlace(this);

        public Tensor relu() => Aten.relu.Call(this);
        public Tensor relu_() => Aten.relu.InPlace(this);
        public Tensor relu6() => Aten.relu6.Call(this);
        public Tensor relu6_() => Aten.relu6.InPlace(this);
        public Tensor gelu() => Aten.gelu.Call(this);
        public Tensor gelu_() => Aten.gelu.InPlace(this).alias(); // a second reference, as in the real library
        public Tensor silu() => Aten.silu.Call(this);
        public Tensor silu_() => Aten.silu.InPlace(this);
        public Tensor selu() => Aten.selu.Call(this);
        public Tensor selu_() => Aten.selu.InPlace(this);
        public Tensor sigmoid() => Aten.sigmoid.Call(this);
        public Tensor sigmoid_() => Aten.sigmoid.InPlace(this);
        public Tensor hardsigmoid() => Aten.hardsigmoid.Call(this);
        public Tensor hardsigmoid_() => Aten.hardsigmoid.InPlace(this);
        public Tensor hardswish() => Aten.hardswish.Call(this);
        public Tensor hardswish_() => Aten.hardswish.InPlace(this);
        public Tensor leaky_relu(Scalar negative_slope) => Aten.leaky_relu.Call(this, negative_slope);
        public Tensor leaky_relu_(Scalar negative_slope) => Aten.leaky_relu.InPlace(this, negative_slope);
        public Tensor elu(double alpha = 1) => elu(alpha, 1.0, 1.0);
        public Tensor elu(Scalar alpha, Scalar scale, Scalar input_scale) => Aten.elu.Call(this, alpha, scale, input_scale);
        public Tensor glu(long dim = -1) => Aten.glu.Call(this, dim);
        public Tensor softplus(double beta = 1, double threshold = 20) => Aten.softplus.Call(this, beta, threshold);
        public Tensor log_sigmoid() => Aten.log_sigmoid.Call(this);
        public Tensor threshold(Scalar threshold, Scalar value) => Aten.threshold.Call(this, threshold, value);
        public Tensor threshold_(Scalar threshold, Scalar value) => Aten.threshold.InPlace(this, threshold, value);

        public Tensor isfinite() => Aten.isfinite.Call(this);
        public Tensor isinf() => Aten.isinf.Call(this);
        public Tensor isnan() => Aten.isnan.Call(this);
        public Tensor isneginf() => Aten.isneginf.Call(this);
        public Tensor isposinf() => Aten.isposinf.Call(this);
        public Tensor isreal() => Aten.isreal.Call(this);
        public Tensor nan_to_num(double nan = 0, double? posinf = null, double? neginf = null) => Aten.nan_to_num.Call(this, nan, posinf, neginf);

        public Tensor real => Aten.real.Call(this);
        public Tensor imag => Aten.imag.Call(this);
        public Tensor conj() => Aten.conj.Call(this);
        public Tensor resolve_conj() => Aten.resolve_conj.Call(this);
        public bool is_conj() => Aten.is_conj.Test(this);
    }
}
