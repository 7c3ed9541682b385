using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public unsafe partial class Tensor
    {
        public long Dimensions => Native.shim_tensor_dim(Handle);

        public long dim() => Dimensions;

        public long ndim => Dimensions;

        public long NumberOfElements => Native.shim_tensor_numel(Handle);

        public long numel() => NumberOfElements;

        public long ElementSize => Native.shim_tensor_element_size(Handle);

        public long element_size() => ElementSize;

        public ScalarType dtype => (ScalarType)Native.shim_tensor_dtype(Handle);

        public DeviceType device_type => (DeviceType)Native.shim_tensor_device_type(Handle);

        public int device_index => Native.shim_tensor_device_index(Handle);

        public Device device => device_type == DeviceType.CPU ? new Device(DeviceType.CPU) : new Device(device_type, device_index);

        public bool is_cuda => device_type == DeviceType.CUDA;

        public bool is_meta => device_type == DeviceType.META;

        public bool is_sparse => Native.shim_tensor_is_sparse(Handle);

        public bool is_cpu() => device_type == DeviceType.CPU;

        public bool is_integral() => torch.is_integral(dtype);

        public bool is_floating_point() => torch.is_floating_point(dtype);

        public bool is_complex() => torch.is_complex(dtype);

        public bool is_contiguous() => Native.shim_tensor_is_contiguous(Handle);

        public bool is_pinned() => Aten.is_pinned.Test(this);

        public bool is_nonzero() =>
            numel() == 1 ? Aten.is_nonzero.Test(this) : throw new InvalidOperationException("is_nonzero() called on non-singleton tensor");

        public long[] size()
        {
            var sizes = new long[Dimensions];
            fixed (long* pointer = sizes) Native.shim_tensor_sizes(handle, pointer);
            return sizes;
        }

        public long[] shape => size();

        public long size(int dim)
        {
            long result;
            Native.Check(Native.shim_tensor_size(Handle, dim, &result));
            return result;
        }

        public long[] stride()
        {
            var strides = new long[Dimensions];
            fixed (long* pointer = strides) Native.Check(Native.shim_tensor_strides(handle, pointer));
            return strides;
        }

        public long stride(int dim)
        {
            long result;
            Native.Check(Native.shim_tensor_stride(Handle, dim, &result));
            return result;
        }

        public long storage_offset()
        {
            long result;
            Native.Check(Native.shim_tensor_storage_offset(Handle, &result));
            return result;
        }
    }
}
