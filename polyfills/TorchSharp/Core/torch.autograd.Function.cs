#nullable disable // as the real library's autograd is
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static unsafe partial class autograd
    {
        /// <summary>An operation with a way back of its own.</summary>
        public abstract class Function<T> where T : Function<T>, new()
        {
            private static readonly T s_instance = new();

            public abstract string Name { get; }

            public static List<Tensor> apply_internal(params object[] vars)
            {
                Tensor[] inputs = vars.OfType<Tensor>().Where(tensor => !tensor.IsInvalid).ToArray();
                bool recorded = is_grad_enabled() && inputs.Any(tensor => tensor.requires_grad);
                var context = new AutogradContext();
                List<Tensor> outputs;
                using (new AutoGradMode(false)) outputs = s_instance.forward_internal(context, vars);
                if (!recorded) return outputs.Select(output => new Tensor(Native.shim_tensor_share(output.Handle))).ToList();

                var call = new FunctionCall((ctx, grads) => s_instance.backward_internal(ctx, grads), s_instance.Name, context, vars.Select(v => v is Tensor t && !t.IsInvalid).ToArray());
                return call.Attach(inputs, outputs);
            }

            internal abstract List<Tensor> forward_internal(AutogradContext ctx, params object[] vars);
            internal abstract List<Tensor> backward_internal(AutogradContext ctx, List<Tensor> grad_outputs);
        }

        public abstract class SingleTensorFunction<T> : Function<T> where T : SingleTensorFunction<T>, new()
        {
            public static Tensor apply(params object[] vars) => apply_internal(vars)[0];

            public abstract Tensor forward(AutogradContext ctx, params object[] vars);
            public abstract List<Tensor> backward(AutogradContext ctx, Tensor grad_output);

            internal sealed override List<Tensor> forward_internal(AutogradContext ctx, params object[] vars) => [forward(ctx, vars)];
            internal sealed override List<Tensor> backward_internal(AutogradContext ctx, List<Tensor> grad_outputs) => backward(ctx, grad_outputs[0]);
        }

        /// <summary>One use of a function, alive as long as its step in the graph.</summary>
        private sealed class FunctionCall(Func<AutogradContext, List<Tensor>, List<Tensor>> backward, string name, AutogradContext context, bool[] isTensor)
        {
            public List<Tensor> Attach(Tensor[] inputs, List<Tensor> outputs)
            {
                nint[] ins = Handles(inputs), outs = Handles(outputs), results = new nint[outs.Length];
                nint[] saved = context.Saved.Select(tensor => tensor is null || tensor.IsInvalid ? 0 : tensor.Handle).ToArray();
                nint held = GCHandle.ToIntPtr(GCHandle.Alloc(this)), node;
                fixed (nint* i = ins, o = outs, s = saved, r = results)
                    Native.Check(Native.shim_function_attach(i, ins.Length, o, outs.Length, s, saved.Length, &Backward, &Release, held, r, &node));
                KeepAlive(inputs, outputs, context.Saved);
                context.Node = node;
                context.HandedOver();
                return results.Select(handle => new Tensor(handle)).ToList();
            }

            private List<Tensor> Gradients(List<Tensor> grads)
            {
                List<Tensor> made = backward(context, grads);
                if (made.Count != isTensor.Length)
                    throw new NotImplementedException($"Function {name} returned an incorrect number of gradients (expected {isTensor.Length}), got {made.Count}");
                for (int i = 0; i < made.Count; i++)
                    if (!isTensor[i] && made[i] is { IsInvalid: false })
                        throw new NotImplementedException($"Function {name} returned a gradient different that is defined at position {i + 1}, but the corresponding forward input was not a Tensor");
                return made.Where((_, i) => isTensor[i]).ToList();
            }

            [UnmanagedCallersOnly]
            private static byte Backward(nint held, nint* grads, long count, nint* results)
            {
                try
                {
                    var call = (FunctionCall)GCHandle.FromIntPtr(held).Target;
                    var given = new List<Tensor>();
                    for (int i = 0; i < count; i++) given.Add(grads[i] == 0 ? null : new Tensor(grads[i]));
                    List<Tensor> made = call.Gradients(given);
                    for (int i = 0; i < made.Count; i++) results[i] = made[i] is { IsInvalid: false } ? made[i].Handle : 0;
                    GC.KeepAlive(made);
                    return 1;
                }
                catch (Exception e)
                {
                    // The real library lets it pass through native code, which ends the process.
                    fixed (byte* message = Encoding.UTF8.GetBytes($"{e.Message}\0")) Native.shim_function_failed(message);
                    return 0;
                }
            }

            [UnmanagedCallersOnly]
            private static void Release(nint held) => GCHandle.FromIntPtr(held).Free();
        }
    }
}
