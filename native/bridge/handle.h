// Handles: what JavaScript holds of a tensor or a generator, a type-tagged external. A tensor's handle
// names a slot and the slot's generation, so a handle outlives its tensor without harm. No finalizer
// is attached: src/tensor/scope.ts releases tensors.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <napi.h>

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace onevision {

struct Operator;

// One tensor held by JavaScript, or a free place.
struct Slot {
  at::Tensor tensor;
  int64_t reportedBytes = 0;  // told to the garbage collector as external memory
  uint32_t generation = 1;    // moves on at each release: older handles no longer match
};

// State of one Node environment (a thread of Node).
struct AddonData {
  std::deque<Slot> slots;
  std::vector<uint32_t> freeSlots;
  Napi::FunctionReference errorFactory;
  std::vector<std::unique_ptr<Operator>> operators;
  std::unordered_map<std::string, uint32_t> operatorIds;

  AddonData();
  ~AddonData();
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

// Frees the tensor of a handle; does nothing where it was released before.
void releaseTensor(napi_env env, napi_value handle);
// release(handle): frees the tensor now; releasing twice is allowed.
Napi::Value release(const Napi::CallbackInfo& info);
// memory() → { numTensors, sizeBytes } over the distinct storages of all live tensors.
Napi::Value memory(const Napi::CallbackInfo& info);

}  // namespace onevision
