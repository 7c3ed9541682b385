#include "shim.h"

#include <ATen/Parallel.h>
#include <torch/cuda.h>
#include <torch/version.h>

using namespace shim;

SHIM_API const char* shim_version() { return TORCH_VERSION; }

SHIM_API bool shim_cuda_is_available() {
    bool result = false;
    guarded([&] { result = torch::cuda::is_available(); });
    return result;
}

SHIM_API bool shim_cudnn_is_available() {
    bool result = false;
    guarded([&] { result = torch::cuda::cudnn_is_available(); });
    return result;
}

SHIM_API int32_t shim_cuda_device_count() {
    int32_t result = 0;
    guarded([&] { result = static_cast<int32_t>(torch::cuda::device_count()); });
    return result;
}

SHIM_API bool shim_cuda_synchronize(int64_t index) {
    return guarded([&] { torch::cuda::synchronize(index); });
}

SHIM_API bool shim_cuda_manual_seed(int64_t seed, bool all) {
    return guarded([&] { all ? torch::cuda::manual_seed_all(static_cast<uint64_t>(seed)) : torch::cuda::manual_seed(static_cast<uint64_t>(seed)); });
}

SHIM_API int32_t shim_num_threads() { return at::get_num_threads(); }

SHIM_API bool shim_set_num_threads(int32_t count) {
    return guarded([&] { at::set_num_threads(count); });
}

SHIM_API int32_t shim_num_interop_threads() { return static_cast<int32_t>(at::get_num_interop_threads()); }

SHIM_API bool shim_set_num_interop_threads(int32_t count) {
    return guarded([&] { at::set_num_interop_threads(count); });
}
