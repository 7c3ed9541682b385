#include "shim.h"

using namespace shim;

// A new tensor over memory that stays the caller's until `release` is called with `context`.
SHIM_API bool shim_tensor_wrap(void* data, const int64_t* sizes, int32_t dimensions, int32_t dtype, void (*release)(void*), void* context, at::Tensor** result) {
    return guarded([&] {
        *result = own(at::from_blob(data, at::IntArrayRef(sizes, dimensions), [release, context](void*) { release(context); },
                                    at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype))));
    });
}

// A second handle to the same tensor.
SHIM_API at::Tensor* shim_tensor_share(const at::Tensor* tensor) { return new at::Tensor(*tensor); }

SHIM_API void shim_tensor_release(at::Tensor* tensor) { delete tensor; }

SHIM_API int64_t shim_tensor_dim(const at::Tensor* tensor) { return tensor->dim(); }

SHIM_API int64_t shim_tensor_numel(const at::Tensor* tensor) { return tensor->numel(); }

SHIM_API void shim_tensor_sizes(const at::Tensor* tensor, int64_t* sizes) {
    auto values = tensor->sizes();
    std::copy(values.begin(), values.end(), sizes);
}

SHIM_API bool shim_tensor_strides(const at::Tensor* tensor, int64_t* strides) {
    return guarded([&] {
        auto values = tensor->strides();
        std::copy(values.begin(), values.end(), strides);
    });
}

SHIM_API bool shim_tensor_size(const at::Tensor* tensor, int64_t dim, int64_t* result) {
    return guarded([&] { *result = tensor->size(dim); });
}

SHIM_API bool shim_tensor_stride(const at::Tensor* tensor, int64_t dim, int64_t* result) {
    return guarded([&] { *result = tensor->stride(dim); });
}

SHIM_API bool shim_tensor_storage_offset(const at::Tensor* tensor, int64_t* result) {
    return guarded([&] { *result = tensor->storage_offset(); });
}

SHIM_API int32_t shim_tensor_dtype(const at::Tensor* tensor) { return static_cast<int32_t>(tensor->scalar_type()); }

SHIM_API int64_t shim_tensor_element_size(const at::Tensor* tensor) { return static_cast<int64_t>(tensor->element_size()); }

SHIM_API int32_t shim_tensor_device_type(const at::Tensor* tensor) { return static_cast<int32_t>(tensor->device().type()); }

SHIM_API int32_t shim_tensor_device_index(const at::Tensor* tensor) { return tensor->device().index(); }

SHIM_API bool shim_tensor_is_contiguous(const at::Tensor* tensor) { return tensor->is_contiguous(); }

SHIM_API bool shim_tensor_is_sparse(const at::Tensor* tensor) { return tensor->is_sparse(); }

SHIM_API bool shim_tensor_data(const at::Tensor* tensor, void** result) {
    return guarded([&] { *result = tensor->data_ptr(); });
}
