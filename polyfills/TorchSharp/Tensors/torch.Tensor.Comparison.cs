using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        // A comparison with null is false, as in the real library.
        public Tensor eq(Tensor target) => target is null ? false : Aten.eq.Call(this, target);
        public Tensor eq(Scalar target) => target is null ? false : Aten.eqScalar.Call(this, target);
        public Tensor eq_(Tensor target) => target is null ? false : Aten.eq.InPlace(this, target);
        public Tensor eq_(Scalar target) => target is null ? false : Aten.eqScalar.InPlace(this, target);
        public Tensor equal(Tensor target) => eq(target);
        public Tensor ne(Tensor target) => Aten.ne.Call(this, target);
        public Tensor ne(Scalar target) => Aten.neScalar.Call(this, target);
        public Tensor ne_(Tensor target) => Aten.ne.InPlace(this, target);
        public Tensor ne_(Scalar target) => Aten.neScalar.InPlace(this, target);
        public Tensor not_equal(Tensor target) => ne(target);
        public Tensor ge(Tensor target) => target is null ? false : Aten.ge.Call(this, target);
        public Tensor ge(Scalar target) => target is null ? false : Aten.geScalar.Call(this, target);
        public Tensor ge_(Tensor target) => target is null ? false : Aten.ge.InPlace(this, target);
        public Tensor ge_(Scalar target) => target is null ? false : Aten.geScalar.InPlace(this, target);
        public Tensor greater_equal(Tensor target) => ge(target);
        public Tensor gt(Tensor target) => target is null ? false : Aten.gt.Call(this, target);
        public Tensor gt(Scalar target) => target is null ? false : Aten.gtScalar.Call(this, target);
        public Tensor gt_(Tensor target) => target is null ? false : Aten.gt.InPlace(this, target);
        public Tensor gt_(Scalar target) => target is null ? false : Aten.gtScalar.InPlace(this, target);
        public Tensor greater(Tensor target) => gt(target);
        public Tensor le(Tensor target) => Aten.le.Call(this, target);
        public Tensor le(Scalar target) => Aten.leScalar.Call(this, target);
        public Tensor le_(Tensor target) => Aten.le.InPlace(this, target);
        public Tensor le_(Scalar target) => Aten.leScalar.InPlace(this, target);
        public Tensor less_equal(Tensor target) => le(target);
        public Tensor lt(Tensor target) => Aten.lt.Call(this, target);
        public Tensor lt(Scalar target) => Aten.ltScalar.Call(this, target);
        public Tensor lt_(Tensor target) => Aten.lt.InPlace(this, target);
        public Tensor lt_(Scalar target) => Aten.ltScalar.InPlace(this, target);
        public Tensor less(Tensor target) => lt(target);

        public bool allclose(Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false) =>
            target is not null && Aten.allclose.Test(this, target, rtol, atol, equal_nan);

        public Tensor isclose(Tensor other, double rtol = 1e-05, double atol = 1e-08, bool nanEqual = false) => Aten.isclose.Call(this, other, rtol, atol, nanEqual);

        public Tensor isin(Tensor test_elements, bool assumeUnique = false, bool invert = false) => Aten.isin.Call(this, test_elements, assumeUnique, invert);

        public Tensor logical_and(Tensor other) => Aten.logical_and.Call(this, other);
        public Tensor logical_and_(Tensor other) => Aten.logical_and.InPlace(this, other);
        public Tensor logical_or(Tensor other) => Aten.logical_or.Call(this, other);
        public Tensor logical_or_(Tensor other) => Aten.logical_or.InPlace(this, other);
        public Tensor logical_xor(Tensor other) => Aten.logical_xor.Call(this, other);
        public Tensor logical_xor_(Tensor other) => Aten.logical_xor.InPlace(this, other);
        public Tensor logical_not() => Aten.logical_not.Call(this);
        public Tensor logical_not_() => Aten.logical_not.InPlace(this);

        public Tensor where(Tensor condition, Tensor y) =>
            condition.dtype == ScalarType.Bool
                ? Aten.where.Call(condition, this, y)
                : throw new ArgumentException("The condition to 'where' must be a boolean tensor.");

        public Tensor bucketize(Tensor boundaries, bool outInt32 = false, bool right = false) => Aten.bucketize.Call(this, boundaries, outInt32, right);
    }
}
