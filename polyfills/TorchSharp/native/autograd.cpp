#include "shim.h"

#include <torch/csrc/autograd/autograd.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>

using namespace shim;

SHIM_API bool shim_requires_grad(const at::Tensor* tensor) { return tensor->requires_grad(); }

SHIM_API bool shim_set_requires_grad(at::Tensor* tensor, bool value) {
    return guarded([&] { tensor->set_requires_grad(value); });
}

SHIM_API bool shim_is_leaf(const at::Tensor* tensor) { return tensor->is_leaf(); }

SHIM_API bool shim_grad(const at::Tensor* tensor, at::Tensor** result) {
    return guarded([&] { *result = own(tensor->grad()); });
}

SHIM_API bool shim_set_grad(at::Tensor* tensor, const at::Tensor* grad) {
    return guarded([&] { tensor->mutable_grad() = grad ? *grad : at::Tensor(); });
}

SHIM_API bool shim_retain_grad(at::Tensor* tensor) {
    return guarded([&] { tensor->retain_grad(); });
}

SHIM_API bool shim_backward(at::Tensor* const* tensors, int64_t count, at::Tensor* const* grads, int64_t grad_count,
                            bool retain_graph, bool create_graph, at::Tensor* const* inputs, int64_t input_count) {
    return guarded([&] {
        torch::autograd::backward(to_tensors(tensors, count), to_tensors(grads, grad_count), retain_graph, create_graph, to_tensors(inputs, input_count));
    });
}

// `results` has room for one handle an input.
SHIM_API bool shim_autograd_grad(at::Tensor* const* outputs, int64_t count, at::Tensor* const* inputs, int64_t input_count, at::Tensor* const* grads,
                                 int64_t grad_count, bool retain_graph, bool create_graph, bool allow_unused, at::Tensor** results) {
    return guarded([&] {
        auto found = torch::autograd::grad(to_tensors(outputs, count), to_tensors(inputs, input_count), to_tensors(grads, grad_count),
                                           retain_graph, create_graph, allow_unused);
        for (size_t i = 0; i < found.size(); i++) results[i] = own(std::move(found[i]));
    });
}

SHIM_API bool shim_grad_mode() { return c10::GradMode::is_enabled(); }

SHIM_API void shim_set_grad_mode(bool enabled) { c10::GradMode::set_enabled(enabled); }

SHIM_API bool shim_inference_mode() { return c10::InferenceMode::is_enabled(); }

SHIM_API void* shim_inference_mode_enter(bool enabled) { return new c10::InferenceMode(enabled); }

SHIM_API void shim_inference_mode_leave(void* guard) { delete static_cast<c10::InferenceMode*>(guard); }
