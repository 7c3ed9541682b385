using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        public Tensor matmul(Tensor target) => Aten.matmul.Call(this, target);
        public Tensor mm(Tensor target) => Aten.mm.Call(this, target);
        public Tensor mv(Tensor target) => Aten.mv.Call(this, target);
        public Tensor bmm(Tensor batch2) => Aten.bmm.Call(this, batch2);
        public Tensor addmm(Tensor mat1, Tensor mat2, float beta = 1, float alpha = 1) => Aten.addmm.Call(this, mat1, mat2, beta, alpha);
        public Tensor addmm_(Tensor mat1, Tensor mat2, float beta = 1, float alpha = 1) => Aten.addmm.InPlace(this, mat1, mat2, beta, alpha);
        public Tensor addmv(Tensor mat, Tensor vec, float beta = 1, float alpha = 1) => Aten.addmv.Call(this, mat, vec, beta, alpha);
        public Tensor addbmm(Tensor batch1, Tensor batch2, float beta = 1, float alpha = 1) => Aten.addbmm.Call(this, batch1, batch2, beta, alpha);
        public Tensor baddbmm(Tensor batch1, Tensor batch2, float beta = 1, float alpha = 1) => Aten.baddbmm.Call(this, batch1, batch2, beta, alpha);
        public Tensor addr(Tensor vec1, Tensor vec2, float beta = 1, float alpha = 1) => Aten.addr.Call(this, vec1, vec2, beta, alpha);
        public Tensor outer(Tensor vec2) => Aten.outer.Call(this, vec2);
        public Tensor ger(Tensor vec2) => outer(vec2);
        public Tensor inner(Tensor vec2) => Aten.inner.Call(this, vec2);
        public Tensor kron(Tensor other) => Aten.kron.Call(this, other);
        public Tensor matrix_power(int n) => Aten.matrix_power.Call(this, n);
        public Tensor det() => Aten.det.Call(this);
        public Tensor inverse() => Aten.inverse.Call(this);

        public Tensor dot(Tensor target) => Aten.dot.Call(this, OfSameLength(target, nameof(dot)));
        public Tensor vdot(Tensor target) => Aten.vdot.Call(this, OfSameLength(target, nameof(vdot)));

        private Tensor OfSameLength(Tensor target, string function) =>
            ndim == 1 && target.ndim == 1 && numel() == target.numel()
                ? target
                : throw new InvalidOperationException($"{function} arguments must have the same shape.");
    }
}
