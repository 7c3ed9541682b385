using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace TorchSharp.Interop;

/// <summary>The entry points of the native library. All arguments are blittable, so a call costs no marshalling.</summary>
internal static unsafe class Native
{
    public const string Library = "TorchShim";

    /// <summary>Throws what libtorch said when a call has failed.</summary>
    public static void Check(bool done)
    {
        if (!done) throw new ExternalException(Marshal.PtrToStringUTF8((nint)shim_last_error()));
    }

    [DllImport(Library)] public static extern byte* shim_last_error();
    [DllImport(Library)] public static extern void shim_free(nint memory);
    [DllImport(Library)] public static extern byte* shim_version();

    [DllImport(Library)] public static extern nint shim_operator_find(byte* name, byte* overload);
    [DllImport(Library)] public static extern bool shim_operator_call(nint op, NativeValue* args, int count, NativeValue* results, int capacity);

    [DllImport(Library)] public static extern bool shim_tensor_wrap(void* data, long* sizes, int dimensions, int dtype, delegate* unmanaged<nint, void> release, nint context, nint* result);
    [DllImport(Library)] public static extern nint shim_tensor_share(nint tensor);
    [DllImport(Library)] public static extern void shim_tensor_release(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern long shim_tensor_dim(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern long shim_tensor_numel(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern void shim_tensor_sizes(nint tensor, long* sizes);
    [DllImport(Library)] public static extern bool shim_tensor_strides(nint tensor, long* strides);
    [DllImport(Library)] public static extern bool shim_tensor_size(nint tensor, long dim, long* result);
    [DllImport(Library)] public static extern bool shim_tensor_stride(nint tensor, long dim, long* result);
    [DllImport(Library)] public static extern bool shim_tensor_storage_offset(nint tensor, long* result);
    [DllImport(Library), SuppressGCTransition] public static extern int shim_tensor_dtype(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern long shim_tensor_element_size(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern int shim_tensor_device_type(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern int shim_tensor_device_index(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern bool shim_tensor_is_contiguous(nint tensor);
    [DllImport(Library), SuppressGCTransition] public static extern bool shim_tensor_is_sparse(nint tensor);
    [DllImport(Library)] public static extern bool shim_tensor_data(nint tensor, void** result);
    [DllImport(Library)] public static extern bool shim_tensor_index(nint tensor, NativeValue* indices, int count, nint* result);
    [DllImport(Library)] public static extern bool shim_tensor_index_put(nint tensor, NativeValue* indices, int count, NativeValue* value);

    [DllImport(Library)] public static extern bool shim_requires_grad(nint tensor);
    [DllImport(Library)] public static extern bool shim_set_requires_grad(nint tensor, bool value);
    [DllImport(Library)] public static extern bool shim_is_leaf(nint tensor);
    [DllImport(Library)] public static extern bool shim_grad(nint tensor, nint* result);
    [DllImport(Library)] public static extern bool shim_set_grad(nint tensor, nint grad);
    [DllImport(Library)] public static extern bool shim_retain_grad(nint tensor);
    [DllImport(Library)] public static extern bool shim_backward(nint* tensors, long count, nint* grads, long gradCount, bool retainGraph, bool createGraph, nint* inputs, long inputCount);
    [DllImport(Library)] public static extern bool shim_autograd_grad(nint* outputs, long count, nint* inputs, long inputCount, nint* grads, long gradCount, bool retainGraph, bool createGraph, bool allowUnused, nint* results);
    [DllImport(Library)] public static extern bool shim_function_attach(nint* inputs, long inputCount, nint* outputs, long outputCount, nint* saved, long savedCount, delegate* unmanaged<nint, nint*, long, nint*, byte> backward, delegate* unmanaged<nint, void> release, nint context, nint* results, nint* node);
    [DllImport(Library)] public static extern bool shim_function_saved(nint node, long index, nint* result);
    [DllImport(Library)] public static extern void shim_function_failed(byte* message);
    [DllImport(Library), SuppressGCTransition] public static extern bool shim_grad_mode();
    [DllImport(Library), SuppressGCTransition] public static extern void shim_set_grad_mode(bool enabled);
    [DllImport(Library), SuppressGCTransition] public static extern bool shim_inference_mode();
    [DllImport(Library)] public static extern nint shim_inference_mode_enter(bool enabled);
    [DllImport(Library)] public static extern void shim_inference_mode_leave(nint guard);

    [DllImport(Library)] public static extern nint shim_generator_default();
    [DllImport(Library)] public static extern nint shim_generator_new(ulong seed);
    [DllImport(Library)] public static extern void shim_generator_release(nint generator);
    [DllImport(Library)] public static extern void shim_generator_set_seed(nint generator, long seed);
    [DllImport(Library)] public static extern long shim_generator_seed(nint generator);
    [DllImport(Library)] public static extern bool shim_generator_state(nint generator, nint* result);
    [DllImport(Library)] public static extern bool shim_generator_set_state(nint generator, nint state);

    [DllImport(Library)] public static extern bool shim_cuda_is_available();
    [DllImport(Library)] public static extern bool shim_cudnn_is_available();
    [DllImport(Library)] public static extern int shim_cuda_device_count();
    [DllImport(Library)] public static extern bool shim_cuda_synchronize(long index);
    [DllImport(Library)] public static extern bool shim_cuda_manual_seed(long seed, bool all);
    [DllImport(Library)] public static extern int shim_num_threads();
    [DllImport(Library)] public static extern bool shim_set_num_threads(int count);
    [DllImport(Library)] public static extern int shim_num_interop_threads();
    [DllImport(Library)] public static extern bool shim_set_num_interop_threads(int count);
}
