// The runtime around the operators: random generators, threads, versions.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/csrc/api/include/torch/version.h>

#include <mutex>

#include "bindings.h"
#include "bridge/convert.h"
#include "bridge/failure.h"
#include "bridge/handle.h"

namespace onevision {

namespace {

at::Generator expectGenerator(const Napi::Value& value, const char* what) {
  if (value.IsString()) {
    try {
      return at::globalContext().defaultGenerator(parseDevice(value.ToString()));
    } catch (const Mismatch& mismatch) {
      throw Failure("native", "Expected " + mismatch.expected + "; got " + mismatch.got + ".");
    }
  }
  const auto* generator = tryGenerator(value.Env(), value);
  if (generator != nullptr) return *generator;
  throw Failure("native", std::string(what) + " expects a Generator or the name of a device; got " +
                              describeValue(value.Env(), value) + ".");
}

uint64_t expectSeed(const Napi::Value& value) {
  static const ValueType kSeed{Kind::Int, false, false, false, 0};
  try {
    return static_cast<uint64_t>(toIValue(value.Env(), value, kSeed).toInt());
  } catch (const Mismatch& mismatch) {
    throw Failure("native", "A seed is " + mismatch.expected + "; got " + mismatch.got + ".");
  }
}

}  // namespace

// manualSeed(seed): the default generators of all devices
Napi::Value manualSeed(const Napi::CallbackInfo& info) {
  at::manual_seed(expectSeed(info[0]));
  return info.Env().Undefined();
}

// createGenerator(device, seed) → handle of a generator of its own
Napi::Value createGenerator(const Napi::CallbackInfo& info) {
  auto generator = expectGenerator(info[0], "createGenerator").clone();
  generator.set_current_seed(expectSeed(info[1]));
  return {info.Env(), wrapGenerator(info.Env(), std::move(generator))};
}

// seedGenerator(generator, seed)
Napi::Value seedGenerator(const Napi::CallbackInfo& info) {
  auto generator = expectGenerator(info[0], "seedGenerator");
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(expectSeed(info[1]));
  return info.Env().Undefined();
}

// generatorState(generator | device) → uint8 tensor
Napi::Value generatorState(const Napi::CallbackInfo& info) {
  auto generator = expectGenerator(info[0], "generatorState");
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return {info.Env(), wrapTensor(info.Env(), generator.get_state())};
}

// setGeneratorState(generator | device, uint8 tensor)
Napi::Value setGeneratorState(const Napi::CallbackInfo& info) {
  auto generator = expectGenerator(info[0], "setGeneratorState");
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(expectTensor(info[1], "setGeneratorState"));
  return info.Env().Undefined();
}

Napi::Value numThreads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), at::get_num_threads());
}

// setNumThreads(count ≥ 1): threads inside one operator
Napi::Value setNumThreads(const Napi::CallbackInfo& info) {
  const auto count = static_cast<int64_t>(expectSeed(info[0]));
  if (count < 1 || count > 4096) {
    throw Failure("native", "setNumThreads expects 1 to 4096; got " + std::to_string(count) + ".");
  }
  at::set_num_threads(static_cast<int>(count));
  return info.Env().Undefined();
}

// runtimeInfo() → { version, cuda, numCudaDevices, cpu, parallel }
Napi::Value runtimeInfo(const Napi::CallbackInfo& info) {
  auto result = Napi::Object::New(info.Env());
  result.Set("version", TORCH_VERSION);
  result.Set("hasCuda", at::globalContext().hasCUDA());
  result.Set("cpu", at::get_cpu_capability());
  result.Set("parallel", at::get_parallel_info());
  return result;
}

}  // namespace onevision
