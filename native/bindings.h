// The functions that addon.cc exports and that have no header of their own.
#pragma once

#include <napi.h>

namespace onevision {

// bridge/call.cc — on the plain C API: it is the hot path.
napi_value call(napi_env env, napi_callback_info info);

// bridge/tensor.cc
Napi::Value tensorInfo(const Napi::CallbackInfo& info);
Napi::Value fromData(const Napi::CallbackInfo& info);
Napi::Value toData(const Napi::CallbackInfo& info);
Napi::Value item(const Napi::CallbackInfo& info);

// runtime/autograd.cc
Napi::Value requiresGrad(const Napi::CallbackInfo& info);
Napi::Value setRequiresGrad(const Napi::CallbackInfo& info);
Napi::Value grad(const Napi::CallbackInfo& info);
Napi::Value setGrad(const Napi::CallbackInfo& info);
Napi::Value setGradEnabled(const Napi::CallbackInfo& info);
Napi::Value backward(const Napi::CallbackInfo& info);
Napi::Value gradients(const Napi::CallbackInfo& info);

// runtime/graph_node.cc
Napi::Value graphNode(const Napi::CallbackInfo& info);
Napi::Value emptyStorage(const Napi::CallbackInfo& info);
Napi::Value refillStorage(const Napi::CallbackInfo& info);

// runtime/runtime.cc
Napi::Value manualSeed(const Napi::CallbackInfo& info);
Napi::Value createGenerator(const Napi::CallbackInfo& info);
Napi::Value seedGenerator(const Napi::CallbackInfo& info);
Napi::Value generatorState(const Napi::CallbackInfo& info);
Napi::Value setGeneratorState(const Napi::CallbackInfo& info);
Napi::Value numThreads(const Napi::CallbackInfo& info);
Napi::Value setNumThreads(const Napi::CallbackInfo& info);
Napi::Value runtimeInfo(const Napi::CallbackInfo& info);

// runtime/device.cc
Napi::Value deviceNames(const Napi::CallbackInfo& info);
Napi::Value synchronize(const Napi::CallbackInfo& info);
Napi::Value deviceMemory(const Napi::CallbackInfo& info);
Napi::Value resetPeakMemory(const Napi::CallbackInfo& info);

// runtime/profile.cc
Napi::Value startProfile(const Napi::CallbackInfo& info);
Napi::Value stopProfile(const Napi::CallbackInfo& info);

}  // namespace onevision
