// Autograd: grad mode, leaf flags, backward and gradients. The graph itself lives in libtorch.
#include <ATen/core/grad_mode.h>
#include <c10/core/AutogradState.h>
#include <torch/csrc/autograd/autograd.h>

#include "bindings.h"
#include "bridge/failure.h"
#include "bridge/handle.h"

namespace onevision {

namespace {

// Array of handles (null stands for "no tensor") → tensors
std::vector<at::Tensor> expectTensors(const Napi::Value& value, const char* what) {
  std::vector<at::Tensor> result;
  if (value.IsUndefined() || value.IsNull()) return result;
  if (!value.IsArray()) throw Failure("native", std::string(what) + " expects an array of tensors.");
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value element = array.Get(i);
    result.push_back(element.IsNull() ? at::Tensor() : expectTensor(element, what));
  }
  return result;
}

// Keeps a backward on the calling thread, on every device: nodes may call JavaScript.
class OneThread {
 public:
  OneThread() { c10::AutogradState::get_tls_state().set_multithreading_enabled(false); }
  ~OneThread() { c10::AutogradState::get_tls_state().set_multithreading_enabled(before_); }

 private:
  const bool before_ = c10::AutogradState::get_tls_state().get_multithreading_enabled();
};

}  // namespace

Napi::Value requiresGrad(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), expectTensor(info[0], "requiresGrad").requires_grad());
}

// setRequiresGrad(handle, boolean)
Napi::Value setRequiresGrad(const Napi::CallbackInfo& info) {
  const auto& tensor = expectTensor(info[0], "setRequiresGrad");
  if (!tensor.is_leaf()) {
    throw Failure("native", "setRequiresGrad expects a leaf; got the result of an operator.",
                  "Call detach() on it first, or compute it inside noGrad().");
  }
  tensor.set_requires_grad(info[1].ToBoolean());
  return info.Env().Undefined();
}

// grad(handle) → handle of the accumulated gradient or null
Napi::Value grad(const Napi::CallbackInfo& info) {
  return {info.Env(), wrapTensor(info.Env(), expectTensor(info[0], "grad").grad())};
}

// setGrad(handle, handle | null)
Napi::Value setGrad(const Napi::CallbackInfo& info) {
  const auto& tensor = expectTensor(info[0], "setGrad");
  tensor.mutable_grad() = info[1].IsNull() ? at::Tensor() : expectTensor(info[1], "setGrad");
  return info.Env().Undefined();
}

// setGradEnabled(boolean) → the mode before
Napi::Value setGradEnabled(const Napi::CallbackInfo& info) {
  const bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(info[0].ToBoolean());
  return Napi::Boolean::New(info.Env(), before);
}

// backward(outputs, outputGradients | null, retainGraph, createGraph)
Napi::Value backward(const Napi::CallbackInfo& info) {
  const OneThread guard;
  torch::autograd::backward(expectTensors(info[0], "backward"), expectTensors(info[1], "backward"),
                            info[2].ToBoolean().Value(), info[3].ToBoolean());
  return info.Env().Undefined();
}

// gradients(outputs, inputs, outputGradients | null, retainGraph, createGraph) → handles or nulls
Napi::Value gradients(const Napi::CallbackInfo& info) {
  const OneThread guard;
  const Napi::Env env = info.Env();
  auto results = torch::autograd::grad(
      expectTensors(info[0], "gradients"), expectTensors(info[1], "gradients"),
      expectTensors(info[2], "gradients"), info[3].ToBoolean().Value(), info[4].ToBoolean(),
      /*allow_unused=*/true);
  auto array = Napi::Array::New(env, results.size());
  for (size_t i = 0; i < results.size(); ++i) {
    array.Set(i, Napi::Value(env, wrapTensor(env, std::move(results[i]))));
  }
  return array;
}

}  // namespace onevision
