using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        public bool is_leaf => Native.shim_is_leaf(Handle);

        public bool requires_grad
        {
            get => Native.shim_requires_grad(Handle);
            set => Native.Check(Native.shim_set_requires_grad(Handle, value));
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        public void retain_grad() => Native.Check(Native.shim_retain_grad(Handle));

        public Tensor? grad
        {
            get
            {
                nint result;
                Native.Check(Native.shim_grad(Handle, &result));
                return result == 0 ? null : new Tensor(result);
            }
            set
            {
                bool done = Native.shim_set_grad(Handle, value?.Handle ?? 0);
                GC.KeepAlive(value);
                Native.Check(done);
            }
        }

        public void backward() => autograd.backward([this]);

        public void backward(IList<Tensor>? grad_tensors = null, bool retain_graph = false, bool create_graph = false, IList<Tensor>? inputs = null) =>
            autograd.backward([this], grad_tensors, retain_graph, create_graph, inputs);

        public Tensor detach() => Aten.detach.Call(this);

        public Tensor detach_() => Aten.detach.InPlace(this);
    }
}
