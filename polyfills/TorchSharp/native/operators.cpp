#include "shim.h"

#include <ATen/core/dispatch/Dispatcher.h>

using namespace shim;

// A handle to the operator, or null when this libtorch has none of that name.
SHIM_API void* shim_operator_find(const char* name, const char* overload) {
    c10::OperatorHandle* result = nullptr;
    guarded([&] {
        auto found = c10::Dispatcher::singleton().findSchema({name, overload});
        if (found.has_value()) result = new c10::OperatorHandle(*found);
    });
    return result;
}

// Calls the operator. Arguments come in the schema's order; those that are missing at the end take the schema's defaults.
// At most `capacity` results are handed out; an in-place call asks for none, since its result is its first argument.
SHIM_API bool shim_operator_call(void* handle, const Value* arguments, int32_t count, Value* results, int32_t capacity) {
    return guarded([&] {
        auto& op = *static_cast<c10::OperatorHandle*>(handle);
        auto& schema = op.schema();
        auto& expected = schema.arguments();
        TORCH_CHECK(static_cast<size_t>(count) <= expected.size(), "too many arguments for ", schema);

        torch::jit::Stack stack;
        stack.reserve(expected.size() > 4 ? expected.size() : 4);
        for (int32_t i = 0; i < count; i++) stack.push_back(to_ivalue(arguments[i], *expected[i].type()));
        for (size_t i = static_cast<size_t>(count); i < expected.size(); i++) {
            auto& preset = expected[i].default_value();
            TORCH_CHECK(preset.has_value(), "argument '", expected[i].name(), "' is missing for ", schema);
            stack.push_back(*preset);
        }

        op.callBoxed(stack);

        for (int32_t i = 0; i < capacity; i++) {
            if (static_cast<size_t>(i) < stack.size()) results[i] = from_ivalue(std::move(stack[i]));
            else results[i] = Value{};
        }
    });
}
