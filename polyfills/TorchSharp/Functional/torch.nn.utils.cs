using TorchSharp.Interop;
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>Functions of all parameters of a network together.</summary>
        public static partial class utils
        {
            public static double clip_grad_norm_(IEnumerable<Parameter> tensors, double max_norm, double norm_type = 2.0)
            {
                using var scope = NewDisposeScope();
                using var unrecorded = no_grad();
                var grads = Grads(tensors);
                if (grads.Count == 0) return 0;
                bool largest = double.IsPositiveInfinity(norm_type);
                var norms = stack(grads.Select(grad => largest ? grad.abs().max() : grad.norm((float)norm_type)));
                double total = (largest ? norms.max() : norms.norm((float)norm_type)).ToDouble();
                double factor = max_norm / (total + 1e-6);
                if (factor < 1)
                    foreach (var grad in grads) grad.mul_(factor);
                return total;
            }

            public static void clip_grad_value_(IEnumerable<Parameter> tensors, double clip_value)
            {
                using var scope = NewDisposeScope();
                using var unrecorded = no_grad();
                foreach (var grad in Grads(tensors)) grad.clamp_((Scalar)(-clip_value), (Scalar)clip_value);
            }

            public static Tensor parameters_to_vector(IEnumerable<Parameter> tensors)
            {
                using var scope = NewDisposeScope();
                return cat(tensors.Select(tensor => tensor.view(-1)).ToArray()).MoveToOuterDisposeScope();
            }

            /// <summary>Makes each parameter a view of its part of the vector.</summary>
            public static void vector_to_parameters(Tensor vec, IEnumerable<Parameter> tensors)
            {
                using var unrecorded = no_grad();
                long start = 0;
                foreach (var tensor in tensors)
                {
                    using var part = vec.narrow(0, start, tensor.numel());
                    using var shaped = part.view_as(tensor);
                    Aten.set_data.Value(tensor, shaped);
                    start += tensor.numel();
                }
            }

            private static List<Tensor> Grads(IEnumerable<Parameter> tensors) => tensors.Select(tensor => tensor.grad).OfType<Tensor>().ToList();
        }
    }
}
