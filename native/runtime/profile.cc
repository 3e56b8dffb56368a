// A timeline of what libtorch does, on the processor and on devices, for chrome://tracing or Perfetto.
#include <torch/csrc/autograd/profiler_kineto.h>

#include "bindings.h"
#include "bridge/failure.h"

namespace onevision {

namespace {

namespace profiler = torch::autograd::profiler;
using torch::profiler::impl::ActivityType;

// One timeline at a time: libtorch has one profiler a process.
bool isProfiling = false;

}  // namespace

// startProfile(withDevice)
Napi::Value startProfile(const Napi::CallbackInfo& info) {
  if (!info[0].IsBoolean()) throw Failure("native", "startProfile expects a boolean.");
  if (isProfiling) throw Failure("native", "A timeline is being recorded; stop that one first.");
  const torch::profiler::impl::ProfilerConfig config(
      torch::profiler::impl::ProfilerState::KINETO);
  std::set<ActivityType> activities{ActivityType::CPU};
  if (info[0].ToBoolean()) activities.insert(ActivityType::CUDA);
  profiler::prepareProfiler(config, activities);
  profiler::enableProfiler(config, activities, {at::RecordScope::FUNCTION,
                                                at::RecordScope::BACKWARD_FUNCTION});
  isProfiling = true;
  return info.Env().Undefined();
}

// stopProfile(path): writes the timeline there
Napi::Value stopProfile(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw Failure("native", "stopProfile expects a path.");
  if (!isProfiling) throw Failure("native", "No timeline is being recorded.");
  isProfiling = false;
  const std::string path = info[0].ToString();
  profiler::disableProfiler()->save(path);
  return info.Env().Undefined();
}

}  // namespace onevision
