#include "shim.h"

#include <cstdlib>

namespace shim {

namespace {

thread_local std::string last_error;

[[noreturn]] void mismatch(const Value& value, const c10::Type& type) {
    TORCH_CHECK(false, "an argument of kind ", static_cast<int>(value.kind), " was given where the operator expects ", type.str());
}

c10::IValue to_list(const Value& value, const c10::TypePtr& element) {
    c10::impl::GenericList list(element);
    list.reserve(static_cast<size_t>(value.length));
    if (value.kind == Kind::Ints) {
        auto items = static_cast<const int64_t*>(value.pointer);
        bool as_bool = element->kind() == c10::TypeKind::BoolType;
        bool as_double = element->kind() == c10::TypeKind::FloatType;
        for (int64_t i = 0; i < value.length; i++)
            list.push_back(as_bool ? c10::IValue(items[i] != 0) : as_double ? c10::IValue(static_cast<double>(items[i])) : c10::IValue(items[i]));
    } else if (value.kind == Kind::Doubles) {
        auto items = static_cast<const double*>(value.pointer);
        for (int64_t i = 0; i < value.length; i++) list.push_back(c10::IValue(items[i]));
    } else if (value.kind == Kind::Tensors) {
        auto items = static_cast<at::Tensor* const*>(value.pointer);
        bool optional = element->kind() == c10::TypeKind::OptionalType;
        for (int64_t i = 0; i < value.length; i++)
            list.push_back(items[i] ? c10::IValue(*items[i]) : optional ? c10::IValue() : c10::IValue(at::Tensor()));
    } else {
        mismatch(value, *element);
    }
    return c10::IValue(std::move(list));
}

Value make(Kind kind) {
    Value value{};
    value.kind = kind;
    return value;
}

template <typename T>
Value make_list(Kind kind, size_t count, T** items) {
    auto value = make(kind);
    *items = static_cast<T*>(std::malloc(sizeof(T) * (count ? count : 1)));
    value.pointer = *items;
    value.length = static_cast<int64_t>(count);
    return value;
}

}  // namespace

void set_error(const char* message) { last_error = message; }

std::vector<at::Tensor> to_tensors(at::Tensor* const* tensors, int64_t count) {
    std::vector<at::Tensor> result;
    result.reserve(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; i++) result.push_back(tensors[i] ? *tensors[i] : at::Tensor());
    return result;
}

c10::IValue to_ivalue(const Value& value, const c10::Type& type) {
    switch (type.kind()) {
        case c10::TypeKind::OptionalType:
            if (value.kind == Kind::None) return c10::IValue();
            return to_ivalue(value, *type.containedType(0));
        case c10::TypeKind::TensorType:
            if (value.kind == Kind::Tensor) return c10::IValue(*static_cast<const at::Tensor*>(value.pointer));
            if (value.kind == Kind::None) return c10::IValue(at::Tensor());
            break;
        case c10::TypeKind::ListType:
            if (value.kind == Kind::Int || value.kind == Kind::Double) {
                // As in Python, one number stands for a list of one.
                Value list = value;
                list.kind = value.kind == Kind::Int ? Kind::Ints : Kind::Doubles;
                list.pointer = &value.integer;
                list.length = 1;
                return to_list(list, type.containedType(0));
            }
            return to_list(value, type.containedType(0));
        case c10::TypeKind::FloatType:
            if (value.kind == Kind::Double) return c10::IValue(value.real);
            if (value.kind == Kind::Int) return c10::IValue(static_cast<double>(value.integer));
            break;
        case c10::TypeKind::BoolType:
            if (value.kind == Kind::Bool) return c10::IValue(value.integer != 0);
            break;
        case c10::TypeKind::DeviceObjType:
            if (value.kind == Kind::Device)
                return c10::IValue(c10::Device(static_cast<c10::DeviceType>(value.integer), static_cast<c10::DeviceIndex>(value.length)));
            break;
        case c10::TypeKind::StringType:
            if (value.kind == Kind::Text) return c10::IValue(std::string(static_cast<const char*>(value.pointer), static_cast<size_t>(value.length)));
            break;
        case c10::TypeKind::GeneratorType:
            if (value.kind == Kind::Generator) return c10::IValue(*static_cast<const at::Generator*>(value.pointer));
            break;
        default:
            // Numbers (Scalar), int, SymInt, and what travels as an int: ScalarType, Layout, MemoryFormat.
            if (value.kind == Kind::Int) return c10::IValue(value.integer);
            if (type.kind() != c10::TypeKind::NumberType) break;
            if (value.kind == Kind::Double) return c10::IValue(value.real);
            if (value.kind == Kind::Bool) return c10::IValue(value.integer != 0);
            if (value.kind == Kind::Complex) return c10::IValue(c10::complex<double>(value.real, value.imaginary));
            break;
    }
    mismatch(value, type);
}

Value from_ivalue(c10::IValue&& value) {
    if (value.isTensor()) {
        auto result = make(Kind::Tensor);
        result.pointer = own(std::move(value).toTensor());
        return result;
    }
    if (value.isInt()) {
        auto result = make(Kind::Int);
        result.integer = value.toInt();
        return result;
    }
    if (value.isDouble()) {
        auto result = make(Kind::Double);
        result.real = value.toDouble();
        return result;
    }
    if (value.isBool()) {
        auto result = make(Kind::Bool);
        result.integer = value.toBool();
        return result;
    }
    if (value.isComplexDouble()) {
        auto result = make(Kind::Complex);
        result.real = value.toComplexDouble().real();
        result.imaginary = value.toComplexDouble().imag();
        return result;
    }
    if (value.isTensorList()) {
        auto list = std::move(value).toTensorVector();
        at::Tensor** items;
        auto result = make_list(Kind::Tensors, list.size(), &items);
        for (size_t i = 0; i < list.size(); i++) items[i] = own(std::move(list[i]));
        return result;
    }
    if (value.isNone()) return make(Kind::None);
    TORCH_CHECK(false, "a result of type ", value.tagKind(), " is not supported");
}

}  // namespace shim

// The last error's message on this thread, valid until the next one.
SHIM_API const char* shim_last_error() { return shim::last_error.c_str(); }

SHIM_API void shim_free(void* memory) { std::free(memory); }
