#include "shim.h"

#include <ATen/TensorIndexing.h>

using namespace shim;

namespace {

std::vector<at::indexing::TensorIndex> to_indices(const Value* indices, int32_t count) {
    std::vector<at::indexing::TensorIndex> result;
    result.reserve(static_cast<size_t>(count));
    for (int32_t i = 0; i < count; i++) {
        auto& index = indices[i];
        switch (index.kind) {
            case Kind::None: result.emplace_back(at::indexing::None); break;
            case Kind::Ellipsis: result.emplace_back("..."); break;
            case Kind::Int: result.emplace_back(index.integer); break;
            case Kind::Bool: result.emplace_back(index.integer != 0); break;
            case Kind::Tensor: result.emplace_back(*static_cast<const at::Tensor*>(index.pointer)); break;
            case Kind::Ints: {
                // A slice: start, stop, step.
                auto bounds = static_cast<const int64_t*>(index.pointer);
                result.emplace_back(at::indexing::Slice(bounds[0], bounds[1], bounds[2]));
                break;
            }
            default: TORCH_CHECK(false, "an index of kind ", static_cast<int>(index.kind), " is not supported");
        }
    }
    return result;
}

}  // namespace

SHIM_API bool shim_tensor_index(const at::Tensor* tensor, const Value* indices, int32_t count, at::Tensor** result) {
    return guarded([&] { *result = own(tensor->index(to_indices(indices, count))); });
}

// Assigns a tensor or a number to the elements that the indices name.
SHIM_API bool shim_tensor_index_put(at::Tensor* tensor, const Value* indices, int32_t count, const Value* value) {
    return guarded([&] {
        if (value->kind == Kind::Tensor) tensor->index_put_(to_indices(indices, count), *static_cast<const at::Tensor*>(value->pointer));
        else tensor->index_put_(to_indices(indices, count), to_ivalue(*value, *c10::NumberType::get()).toScalar());
    });
}
