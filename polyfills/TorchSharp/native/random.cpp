#include "shim.h"

#include <mutex>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

using namespace shim;

// The default generator of the processor.
SHIM_API at::Generator* shim_generator_default() { return new at::Generator(at::globalContext().defaultGenerator(at::kCPU)); }

SHIM_API at::Generator* shim_generator_new(uint64_t seed) { return new at::Generator(at::detail::createCPUGenerator(seed)); }

SHIM_API void shim_generator_release(at::Generator* generator) { delete generator; }

SHIM_API void shim_generator_set_seed(at::Generator* generator, int64_t seed) {
    std::lock_guard<std::mutex> lock(generator->mutex());
    generator->set_current_seed(static_cast<uint64_t>(seed));
}

SHIM_API int64_t shim_generator_seed(const at::Generator* generator) { return static_cast<int64_t>(generator->current_seed()); }

SHIM_API bool shim_generator_state(const at::Generator* generator, at::Tensor** result) {
    return guarded([&] { *result = own(generator->get_state()); });
}

SHIM_API bool shim_generator_set_state(at::Generator* generator, const at::Tensor* state) {
    return guarded([&] {
        std::lock_guard<std::mutex> lock(generator->mutex());
        generator->set_state(*state);
    });
}
