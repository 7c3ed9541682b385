#nullable disable // as the real library's autograd is
using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Differentiation.</summary>
    public static unsafe partial class autograd
    {
        public static IList<Tensor> grad(IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor> grad_outputs = null, bool retain_graph = false, bool create_graph = false, bool allow_unused = false)
        {
            nint[] outs = Handles(outputs), ins = Handles(inputs), grads = Handles(grad_outputs), results = new nint[ins.Length];
            fixed (nint* o = outs, i = ins, g = grads, r = results)
                Native.Check(Native.shim_autograd_grad(o, outs.Length, i, ins.Length, g, grads.Length, retain_graph, create_graph, allow_unused, r));
            KeepAlive(outputs, inputs, grad_outputs);
            return results.Select(handle => handle == 0 ? null : new Tensor(handle)).ToList();
        }

        public static void backward(IList<Tensor> tensors, IList<Tensor> grad_tensors = null, bool? retain_graph = null, bool create_graph = false, IList<Tensor> inputs = null)
        {
            nint[] outs = Handles(tensors), grads = Handles(grad_tensors), ins = Handles(inputs);
            fixed (nint* o = outs, g = grads, i = ins)
                Native.Check(Native.shim_backward(o, outs.Length, g, grads.Length, retain_graph ?? create_graph, create_graph, i, ins.Length));
            KeepAlive(tensors, grad_tensors, inputs);
        }

        private static nint[] Handles(IList<Tensor> tensors) => tensors is null ? [] : tensors.Select(tensor => tensor.Handle).ToArray();

        private static void KeepAlive(params ReadOnlySpan<object> objects)
        {
            foreach (var held in objects) GC.KeepAlive(held);
        }
    }
}
