using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>How a quotient is rounded.</summary>
    public enum RoundingMode
    {
        None,
        trunc,
        floor,
    }

    // Functions of two or more tensors, element by element.
    public partial class Tensor
    {
        public Tensor add(Tensor target) => Aten.add.Call(this, target);
        public Tensor add(Tensor target, Scalar alpha) => Aten.add.Call(this, target, alpha);
        public Tensor add(Scalar scalar) => Aten.addScalar.Call(this, scalar);
        public Tensor add(Scalar scalar, Scalar alpha) => Aten.addScalar.Call(this, scalar, alpha);
        public Tensor add_(Tensor target) => Aten.add.InPlace(this, target);
        public Tensor add_(Tensor target, Scalar alpha) => Aten.add.InPlace(this, target, alpha);
        public Tensor add_(Scalar scalar) => Aten.addScalar.InPlace(this, scalar);
        public Tensor add_(Scalar scalar, Scalar alpha) => Aten.addScalar.InPlace(this, scalar, alpha);

        public Tensor sub(Tensor target) => Aten.sub.Call(this, target);
        public Tensor sub(Scalar target) => Aten.subScalar.Call(this, target);
        public Tensor sub_(Tensor target) => Aten.sub.InPlace(this, target);
        public Tensor sub_(Scalar target) => Aten.subScalar.InPlace(this, target);
        public Tensor subtract(Tensor target) => sub(target);
        public Tensor subtract(Scalar target) => sub(target);
        public Tensor subtract_(Tensor target) => sub_(target);
        public Tensor subtract_(Scalar target) => sub_(target);

        public Tensor mul(Tensor target) => Aten.mul.Call(this, target);
        public Tensor mul(Scalar target) => Aten.mulScalar.Call(this, target);
        public Tensor mul_(Tensor target) => Aten.mul.InPlace(this, target);
        public Tensor mul_(Scalar target) => Aten.mulScalar.InPlace(this, target);
        public Tensor multiply(Tensor target) => mul(target);
        public Tensor multiply(Scalar target) => mul(target);

        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => Aten.div.Call(this, target, Rounding(rounding_mode));
        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => Aten.divScalar.Call(this, target, Rounding(rounding_mode));
        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => Aten.div.InPlace(this, target, Rounding(rounding_mode));
        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => Aten.divScalar.InPlace(this, target, Rounding(rounding_mode));
        public Tensor divide(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => div(target, rounding_mode);
        public Tensor divide(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => div(target, rounding_mode);
        public Tensor divide_(Tensor target, RoundingMode rounding_mode = RoundingMode.None) => div_(target, rounding_mode);
        public Tensor divide_(Scalar target, RoundingMode rounding_mode = RoundingMode.None) => div_(target, rounding_mode);
        public Tensor true_divide(Tensor other) => div(other);
        public Tensor true_divide(Scalar other) => div(other);
        public Tensor true_divide_(Tensor other) => div_(other);
        public Tensor true_divide_(Scalar other) => div_(other);
        public Tensor floor_divide(Tensor other) => Aten.floor_divide.Call(this, other);
        public Tensor floor_divide(Scalar other) => Aten.floor_divideScalar.Call(this, other);
        public Tensor remainder(Tensor target) => Aten.remainder.Call(this, target);
        public Tensor remainder(Scalar scalar) => Aten.remainderScalar.Call(this, scalar);
        public Tensor remainder_(Tensor target) => Aten.remainder.InPlace(this, target);
        public Tensor remainder_(Scalar scalar) => Aten.remainderScalar.InPlace(this, scalar);
        public Tensor fmod(Tensor target) => Aten.fmod.Call(this, target);
        public Tensor fmod(Scalar scalar) => Aten.fmodScalar.Call(this, scalar);
        public Tensor fmod_(Tensor target) => Aten.fmod.InPlace(this, target);
        public Tensor fmod_(Scalar scalar) => Aten.fmodScalar.InPlace(this, scalar);

        public Tensor pow(Tensor exponent) => Aten.pow.Call(this, exponent);
        public Tensor pow(Scalar exponent) => Aten.powScalar.Call(this, exponent);
        public Tensor pow_(Tensor exponent) => Aten.powInPlace.InPlace(this, exponent);
        public Tensor pow_(Scalar exponent) => Aten.powScalarInPlace.InPlace(this, exponent);
        public Tensor float_power(Tensor target) => Aten.float_power.Call(this, target);

        public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar value) => Aten.addcmul.Call(this, tensor1, tensor2, value);
        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value) => Aten.addcmul.InPlace(this, tensor1, tensor2, value);
        public Tensor addcdiv(Tensor tensor1, Tensor tensor2) => Aten.addcdiv.Call(this, tensor1, tensor2);
        public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar value) => Aten.addcdiv.Call(this, tensor1, tensor2, value);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2) => Aten.addcdiv.InPlace(this, tensor1, tensor2);
        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value) => Aten.addcdiv.InPlace(this, tensor1, tensor2, value);
        public Tensor lerp(Tensor end, Tensor weight) => Aten.lerp.Call(this, end, weight);
        public Tensor lerp_(Tensor end, Tensor weight) => Aten.lerp.InPlace(this, end, weight);

        public Tensor clamp(Scalar? min = null, Scalar? max = null) => Aten.clamp.Call(this, min, max);
        public Tensor clamp(Tensor? min = null, Tensor? max = null) => Aten.clampTensor.Call(this, min, max);
        public Tensor clamp_(Scalar? min = null, Scalar? max = null) => Aten.clamp.InPlace(this, min, max);
        public Tensor clamp_(Tensor? min = null, Tensor? max = null) => Aten.clampTensor.InPlace(this, min, max);
        public Tensor clip(Scalar? min = null, Scalar? max = null) => clamp(min, max);
        public Tensor clamp_max(Scalar max) => Aten.clamp_max.Call(this, max);
        public Tensor clamp_max_(Scalar max) => Aten.clamp_max.InPlace(this, max);
        public Tensor clamp_min(Scalar min) => Aten.clamp_min.Call(this, min);
        public Tensor clamp_min_(Scalar min) => Aten.clamp_min.InPlace(this, min);
        public Tensor maximum(Tensor other) => Aten.maximum.Call(this, other);
        public Tensor minimum(Tensor other) => Aten.minimum.Call(this, other);
        public Tensor fmax(Tensor other) => Aten.fmax.Call(this, other);
        public Tensor fmin(Tensor other) => Aten.fmin.Call(this, other);

        public Tensor atan2(Tensor other) => Aten.atan2.Call(this, other);
        public Tensor atan2_(Tensor other) => Aten.atan2.InPlace(this, other);
        public Tensor arctan2(Tensor other) => atan2(other);
        public Tensor arctan2_(Tensor other) => atan2_(other);
        public Tensor arctan(Tensor other) => atan2(other);
        public Tensor arctan_(Tensor other) => atan2_(other);
        public Tensor hypot(Tensor other) => Aten.hypot.Call(this, other);
        public Tensor copysign(Tensor other) => Aten.copysign.Call(this, other);
        public Tensor heaviside(Tensor other) => Aten.heaviside.Call(this, other);
        public Tensor logaddexp(Tensor other) => Aten.logaddexp.Call(this, other);
        public Tensor logaddexp2(Tensor other) => Aten.logaddexp2.Call(this, other);
        public Tensor xlogy(Tensor y) => Aten.xlogy.Call(this, y);
        public Tensor xlogy(Scalar y) => Aten.xlogyScalar.Call(this, y);
        public Tensor prelu(Tensor target) => Aten.prelu.Call(this, target);

        public Tensor bitwise_and(Tensor other) => Aten.bitwise_and.Call(this, other);
        public Tensor bitwise_and_(Tensor other) => Aten.bitwise_and.InPlace(this, other);
        public Tensor bitwise_or(Tensor other) => Aten.bitwise_or.Call(this, other);
        public Tensor bitwise_or_(Tensor other) => Aten.bitwise_or.InPlace(this, other);
        public Tensor bitwise_xor(Tensor other) => Aten.bitwise_xor.Call(this, other);
        public Tensor bitwise_xor_(Tensor other) => Aten.bitwise_xor.InPlace(this, other);
        public Tensor bitwise_not() => Aten.bitwise_not.Call(this);
        public Tensor bitwise_not_() => Aten.bitwise_not.InPlace(this);
        public Tensor bitwise_left_shift(Tensor other) => Aten.bitwise_left_shift.Call(this, other);
        public Tensor bitwise_right_shift(Tensor other) => Aten.bitwise_right_shift.Call(this, other);

        public static implicit operator Tensor(byte value) => tensor(value);
        public static implicit operator Tensor(sbyte value) => tensor(value);
        public static implicit operator Tensor(short value) => tensor(value);
        public static implicit operator Tensor(int value) => tensor(value);
        public static implicit operator Tensor(long value) => tensor(value);
        public static implicit operator Tensor(float value) => tensor(value);
        public static implicit operator Tensor(double value) => tensor(value);
        public static implicit operator Tensor(bool value) => tensor(value);
        public static implicit operator Tensor(byte[] value) => tensor(value);
        public static implicit operator Tensor(sbyte[] value) => tensor(value);
        public static implicit operator Tensor(short[] value) => tensor(value);
        public static implicit operator Tensor(int[] value) => tensor(value);
        public static implicit operator Tensor(long[] value) => tensor(value);
        public static implicit operator Tensor(float[] value) => tensor(value);
        public static implicit operator Tensor(double[] value) => tensor(value);
        public static implicit operator Tensor(bool[] value) => tensor(value);

        // Compiles, and throws: this is how lerp_(t, Scalar) goes wrong in the real library too.
        public static implicit operator Tensor(Scalar scalar) =>
            throw new InvalidOperationException("Should not be called.");

        private static string? Rounding(RoundingMode mode) => mode == RoundingMode.None ? null : mode.ToString();
    }
}
