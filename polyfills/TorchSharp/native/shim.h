// The boundary between the managed library and libtorch: plain C functions over tagged values.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/core/ivalue.h>

#define SHIM_API extern "C" __attribute__((visibility("default")))

namespace shim {

enum class Kind : int32_t {
    None = 0,
    Tensor = 1,    // pointer: at::Tensor*
    Int = 2,       // integer
    Double = 3,    // real
    Bool = 4,      // integer
    Complex = 5,   // real, imaginary
    Ints = 6,      // pointer: int64_t[length]
    Doubles = 7,   // pointer: double[length]
    Tensors = 8,   // pointer: at::Tensor*[length], null for an absent one
    Device = 9,    // integer: type, length: index
    Text = 10,     // pointer: char[length], UTF-8
    Generator = 11,// pointer: at::Generator*
    Ellipsis = 12, // in an index only
};

// One argument or result. Laid out as the managed NativeValue.
struct Value {
    Kind kind;
    int32_t unused;
    union {
        int64_t integer;
        double real;
        const void* pointer;
    };
    union {
        int64_t length;
        double imaginary;
    };
};
static_assert(sizeof(Value) == 24, "the managed side counts on this layout");

// The argument as the type that the operator's schema asks for.
c10::IValue to_ivalue(const Value& value, const c10::Type& type);

// The result as a value. Tensors in it belong to the caller, as does the array of a list.
Value from_ivalue(c10::IValue&& value);

inline at::Tensor* own(at::Tensor tensor) {
    return tensor.defined() ? new at::Tensor(std::move(tensor)) : nullptr;
}

std::vector<at::Tensor> to_tensors(at::Tensor* const* tensors, int64_t count);

void set_error(const char* message);

// Runs the body; an exception's message is kept for shim_last_error and the answer is false.
template <typename Body>
bool guarded(Body&& body) {
    try {
        body();
        return true;
    } catch (const c10::Error& error) {
        set_error(error.what_without_backtrace());
    } catch (const std::exception& error) {
        set_error(error.what());
    } catch (...) {
        set_error("unknown native exception");
    }
    return false;
}

}  // namespace shim
