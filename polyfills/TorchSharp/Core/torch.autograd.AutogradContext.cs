#nullable disable // as the real library's autograd is
using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static unsafe partial class autograd
    {
        /// <summary>What the forward of a <see cref="Function{T}"/> leaves to its backward.</summary>
        public class AutogradContext : IDisposable
        {
            private readonly Dictionary<string, object> _data = [];

            internal AutogradContext()
            {
            }

            /// <summary>The tensors as forward gave them, null for one that was absent.</summary>
            internal List<Tensor> Saved { get; private set; } = [];

            internal nint Node { get; set; }

            public void save_for_backward(List<Tensor> tensors) => Saved = tensors;

            public List<Tensor> get_saved_variables()
            {
                var tensors = new List<Tensor>();
                for (int i = 0; i < _savedCount; i++)
                {
                    nint handle;
                    Native.Check(Native.shim_function_saved(Node, i, &handle));
                    tensors.Add(handle == 0 ? null : new Tensor(handle));
                }
                return tensors;
            }

            public void save_data(string key, object value) => _data[key] = value;

            public object get_data(string key) => _data.GetValueOrDefault(key);

            private int _savedCount;

            /// <summary>From now on the graph holds what was saved.</summary>
            internal void HandedOver() => (_savedCount, Saved) = (Saved.Count, []);

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
            }
        }
    }
}
