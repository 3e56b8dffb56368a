// The addon: a table of what JavaScript may call. Types of all of it: src/tensor/native.ts.
#include <napi.h>

#include "bindings.h"
#include "bridge/failure.h"
#include "bridge/handle.h"
#include "bridge/schema.h"
#include "collectives/process_group.h"

namespace onevision {

namespace {

template <Napi::Value (*Function)(const Napi::CallbackInfo&)>
void add(Napi::Object& exports, const char* name) {
  exports.Set(name, Napi::Function::New<guarded<Function>>(exports.Env(), name));
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  const auto free = [](napi_env, void* data, void*) { delete static_cast<AddonData*>(data); };
  napi_set_instance_data(env, new AddonData(), free, nullptr);

  napi_value hot;
  napi_create_function(env, "call", NAPI_AUTO_LENGTH, call, nullptr, &hot);
  exports.Set("call", Napi::Value(env, hot));

  add<setErrorFactory>(exports, "setErrorFactory");
  add<operatorId>(exports, "operatorId");
  add<describeOperator>(exports, "describeOperator");
  add<release>(exports, "release");
  add<memory>(exports, "memory");
  add<tensorInfo>(exports, "tensorInfo");
  add<fromData>(exports, "fromData");
  add<toData>(exports, "toData");
  add<item>(exports, "item");
  add<requiresGrad>(exports, "requiresGrad");
  add<setRequiresGrad>(exports, "setRequiresGrad");
  add<grad>(exports, "grad");
  add<setGrad>(exports, "setGrad");
  add<setGradEnabled>(exports, "setGradEnabled");
  add<backward>(exports, "backward");
  add<gradients>(exports, "gradients");
  add<graphNode>(exports, "graphNode");
  add<emptyStorage>(exports, "emptyStorage");
  add<refillStorage>(exports, "refillStorage");
  add<manualSeed>(exports, "manualSeed");
  add<createGenerator>(exports, "createGenerator");
  add<seedGenerator>(exports, "seedGenerator");
  add<generatorState>(exports, "generatorState");
  add<setGeneratorState>(exports, "setGeneratorState");
  add<numThreads>(exports, "numThreads");
  add<setNumThreads>(exports, "setNumThreads");
  add<runtimeInfo>(exports, "runtimeInfo");
  add<deviceNames>(exports, "deviceNames");
  add<synchronize>(exports, "synchronize");
  add<deviceMemory>(exports, "deviceMemory");
  add<resetPeakMemory>(exports, "resetPeakMemory");
  add<startProfile>(exports, "startProfile");
  add<stopProfile>(exports, "stopProfile");
  add<openProcessGroup>(exports, "openProcessGroup");
  add<openSubGroup>(exports, "openSubGroup");
  add<closeProcessGroups>(exports, "closeProcessGroups");
  add<storeSet>(exports, "storeSet");
  add<storeGet>(exports, "storeGet");
  add<noteProgress>(exports, "noteProgress");
  add<readProgress>(exports, "readProgress");
  add<noteWaiting>(exports, "noteWaiting");
  add<lostRank>(exports, "lostRank");
  add<whyNoNccl>(exports, "whyNoNccl");
  return exports;
}

}  // namespace

Napi::Object initAddon(Napi::Env env, Napi::Object exports) { return init(env, exports); }

}  // namespace onevision

namespace {
Napi::Object initOneVision(Napi::Env env, Napi::Object exports) {
  return onevision::initAddon(env, exports);
}
}  // namespace

NODE_API_MODULE(onevision, initOneVision)
