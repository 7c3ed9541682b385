#include "shim.h"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

using namespace shim;

SHIM_API const char* shim_last_error();

namespace {

// Gradients of the outputs in, null for an absent one; gradients of the inputs out, likewise. False when managed code has failed: the text is set.
using Backward = bool (*)(void* context, at::Tensor* const* grads, int64_t count, at::Tensor** results);
using Release = void (*)(void* context);

// A step of the graph whose way back is managed code.
struct ManagedNode : torch::autograd::Node {
    ManagedNode(Backward backward, Release release, void* context, int64_t inputs)
        : backward(backward), release(release), context(context), inputs(inputs) {}

    ~ManagedNode() override { release(context); }

    std::string name() const override { return "ManagedNode"; }

    torch::autograd::variable_list apply(torch::autograd::variable_list&& grads) override {
        std::vector<at::Tensor*> handles(grads.size()), results(static_cast<size_t>(inputs));
        for (size_t i = 0; i < grads.size(); i++) handles[i] = own(std::move(grads[i]));
        bool done = backward(context, handles.data(), static_cast<int64_t>(handles.size()), results.data());
        TORCH_CHECK(done, shim_last_error());
        torch::autograd::variable_list made;
        made.reserve(results.size());
        for (auto* result : results) made.push_back(result ? *result : at::Tensor());
        return made;
    }

    Backward backward;
    Release release;
    void* context;
    int64_t inputs;
    std::vector<torch::autograd::SavedVariable> saved;
};

}  // namespace

// Makes outputs that managed code computed depend on the inputs. `results` has room for one handle an output; `node` stays valid while one of them,
// or something made of it, does.
SHIM_API bool shim_function_attach(at::Tensor* const* inputs, int64_t input_count, at::Tensor* const* outputs, int64_t output_count,
                                   at::Tensor* const* saved, int64_t saved_count, Backward backward, Release release, void* context,
                                   at::Tensor** results, void** node) {
    return guarded([&] {
        std::shared_ptr<ManagedNode> made(new ManagedNode(backward, release, context, input_count), torch::autograd::deleteNode);
        made->set_next_edges(torch::autograd::collect_next_edges(to_tensors(inputs, input_count)));
        for (int64_t i = 0; i < output_count; i++) {
            at::Tensor output = outputs[i]->detach();
            torch::autograd::set_history(output, made);
            results[i] = own(std::move(output));
        }
        for (int64_t i = 0; i < saved_count; i++) {
            made->saved.emplace_back(saved[i] ? *saved[i] : at::Tensor(), false);
        }
        *node = made.get();
    });
}

// What was saved, null for what was absent. Throws where it was changed in place since.
SHIM_API bool shim_function_saved(void* node, int64_t index, at::Tensor** result) {
    return guarded([&] {
        auto* managed = static_cast<ManagedNode*>(node);
        *result = own(managed->saved.at(static_cast<size_t>(index)).unpack(managed->shared_from_this()));
    });
}

// Keeps the text of a managed exception for shim_last_error.
SHIM_API void shim_function_failed(const char* message) { set_error(message); }
