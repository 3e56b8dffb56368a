// Handles: what JavaScript holds of a tensor or a generator. A type-tagged external that points to a
// box; releasing empties the box at once, the garbage collector deletes it later.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <napi.h>

#include <string>
#include <unordered_map>
#include <vector>

namespace onevision {

struct Operator;

// One tensor held by JavaScript. `tensor` is undefined once released.
struct Box {
  at::Tensor tensor;
  int64_t reportedBytes = 0;  // told to the garbage collector as external memory
  Box* previous = nullptr;
  Box* next = nullptr;
};

// State of one Node environment (a thread of Node). Never freed: finalizers run after everything else.
struct AddonData {
  Box live;  // head of the ring of boxes that hold a tensor
  Napi::FunctionReference errorFactory;
  std::vector<Operator*> operators;
  std::unordered_map<std::string, uint32_t> operatorIds;
};

AddonData& addonData(napi_env env);

// at::Tensor → handle; an undefined tensor → null.
napi_value wrapTensor(napi_env env, at::Tensor tensor);
napi_value wrapGenerator(napi_env env, at::Generator generator);

// Handle → tensor. Returns nullptr where `value` is no tensor handle; throws where it was released.
const at::Tensor* tryTensor(napi_env env, napi_value value);
// Handle → tensor; throws a Failure naming `what` where it is no tensor handle.
const at::Tensor& expectTensor(const Napi::Value& value, const char* what);
// Handle → generator, nullptr where `value` is none.
const at::Generator* tryGenerator(napi_env env, napi_value value);

// release(handle): frees the tensor now; releasing twice is allowed.
Napi::Value release(const Napi::CallbackInfo& info);
// memory() → { numTensors, sizeBytes } over the distinct storages of all live handles.
Napi::Value memory(const Napi::CallbackInfo& info);

}  // namespace onevision
