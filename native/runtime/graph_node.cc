// Nodes of the graph whose gradient JavaScript computes, and storages that are emptied between
// forward and backward. What the nodes do is the business of src/tensor/autograd.ts and src/nn.
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include "bindings.h"
#include "bridge/failure.h"
#include "bridge/handle.h"

namespace onevision {

namespace {

// As many inputs as it has edges. Calls JavaScript, so backward stays on its thread: see backward()
// in autograd.cc.
class ScriptNode : public torch::autograd::Node {
 public:
  ScriptNode(Napi::Function callback, std::vector<at::Tensor> saved)
      : callback_(Napi::Persistent(callback)), saved_(std::move(saved)) {}

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    torch::autograd::variable_list results(num_outputs());
    if (callback_.IsEmpty()) {
      throw Failure("native", "The graph was freed by an earlier backward.",
                    "Give retainGraph to the first one, or compute the output anew.");
    }
    const Napi::Env env = callback_.Env();
    const Napi::HandleScope scope(env);
    auto saved = Napi::Array::New(env, saved_.size());
    for (size_t i = 0; i < saved_.size(); ++i) {
      saved.Set(i, Napi::Value(env, wrapTensor(env, saved_[i].detach())));
    }
    auto given = Napi::Array::New(env, gradients.size());
    for (size_t i = 0; i < gradients.size(); ++i) {
      given.Set(i, Napi::Value(env, wrapTensor(env, std::move(gradients[i]))));
    }
    const auto came = callback_.Call({saved, given}).As<Napi::Array>();
    for (uint32_t i = 0; i < results.size(); ++i) {
      const Napi::Value value = came.Get(i);
      if (value.IsNull()) continue;
      results[i] = expectTensor(value, "a gradient of a script node");
      releaseTensor(env, value);
    }
    return results;
  }

  std::string name() const override { return "ScriptNode"; }

  void release_variables() override {
    callback_.Reset();
    saved_.clear();
  }

 private:
  Napi::FunctionReference callback_;
  std::vector<at::Tensor> saved_;
};

// libtorch 2.13 counts references inside the node, the versions before beside it.
using NodePointer = std::decay_t<decltype(std::declval<at::Tensor>().grad_fn())>;

template <typename Pointer>
Pointer makeNode(Napi::Function callback, std::vector<at::Tensor> saved) {
  if constexpr (std::is_same_v<Pointer, std::shared_ptr<torch::autograd::Node>>) {
    return std::make_shared<ScriptNode>(callback, std::move(saved));
  } else {
    return c10::make_intrusive<ScriptNode>(callback, std::move(saved));
  }
}

std::vector<at::Tensor> expectList(const Napi::Value& value) {
  std::vector<at::Tensor> result;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    result.push_back(expectTensor(array.Get(i), "graphNode"));
  }
  return result;
}

}  // namespace

// graphNode(inputs, saved, outputs, (saved, gradients or null) → gradients of inputs or null) → the
// outputs with a gradient: tensors over the same memory that lead to `inputs` through the callback.
Napi::Value graphNode(const Napi::CallbackInfo& info) {
  const auto inputs = expectList(info[0]);
  std::vector<at::Tensor> saved;
  for (const auto& tensor : expectList(info[1])) saved.push_back(tensor.detach());
  const auto node = makeNode<NodePointer>(info[3].As<Napi::Function>(), std::move(saved));
  node->set_next_edges(torch::autograd::collect_next_edges(inputs));
  auto results = Napi::Array::New(info.Env());
  for (const auto& plain : expectList(info[2])) {
    at::Tensor output = plain.variable_data();
    torch::autograd::set_history(output, node);
    results.Set(results.Length(), Napi::Value(info.Env(), wrapTensor(info.Env(), output)));
  }
  return results;
}

// emptyStorage(handle): frees the memory of a tensor that keeps its shape and its place in graphs
Napi::Value emptyStorage(const Napi::CallbackInfo& info) {
  auto& storage = *expectTensor(info[0], "emptyStorage").storage().unsafeGetStorageImpl();
  storage.set_data_ptr_noswap(at::DataPtr(nullptr, storage.device()));
  storage.set_nbytes(0);
  return info.Env().Undefined();
}

// refillStorage(handle, source | null): memory again, with the elements of `source`, of the same shape
Napi::Value refillStorage(const Napi::CallbackInfo& info) {
  const auto& target = expectTensor(info[0], "refillStorage");
  auto& storage = *target.storage().unsafeGetStorageImpl();
  const size_t bytes = static_cast<size_t>(target.numel()) * target.element_size();
  storage.set_data_ptr_noswap(storage.allocator()->allocate(bytes));
  storage.set_nbytes(bytes);
  if (info[1].IsNull()) return info.Env().Undefined();
  const auto& source = expectTensor(info[1], "refillStorage");
  const at::NoGradGuard guard;
  target.variable_data().copy_(source);
  return info.Env().Undefined();
}

}  // namespace onevision
