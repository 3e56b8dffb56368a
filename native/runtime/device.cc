// Devices beside the processor: whether they are there, what memory they hold, waiting for them.
// Reaches them through libtorch's accelerator interface, so no header of CUDA is needed.
#include <ATen/DeviceAccelerator.h>
#include <ATen/Functions.h>

#include "bindings.h"
#include "bridge/convert.h"
#include "bridge/failure.h"

namespace onevision {

namespace {

// The index of a device of this machine's accelerator.
c10::DeviceIndex expectAccelerator(const Napi::Value& value, const char* what) {
  const auto device = [&] {
    try {
      return parseDevice(value.ToString());
    } catch (const Mismatch& mismatch) {
      throw Failure("native", "Expected " + mismatch.expected + "; got " + mismatch.got + ".");
    }
  }();
  const auto type = at::accelerator::getAccelerator(false);
  const auto count = type.has_value() ? at::accelerator::deviceCount() : 0;
  const auto index = device.has_index() ? device.index() : c10::DeviceIndex{0};
  if (!type.has_value() || device.type() != *type || index >= count) {
    throw Failure("native",
                  std::string(what) + " expects a device of this machine; got " + device.str() +
                      ", and libtorch sees " + std::to_string(count) + " beside the processor.",
                  "npm run onevision -- doctor says what libtorch sees.");
  }
  at::empty({1}, at::TensorOptions().device(device));  // its allocator starts with its first tensor
  return index;
}

}  // namespace

// deviceNames() → ["cuda:0", …], without the processor
Napi::Value deviceNames(const Napi::CallbackInfo& info) {
  auto names = Napi::Array::New(info.Env());
  const auto type = at::accelerator::getAccelerator(false);
  const int count = type.has_value() ? at::accelerator::deviceCount() : 0;
  for (int i = 0; i < count; ++i) {
    names.Set(static_cast<uint32_t>(i), c10::Device(*type, static_cast<c10::DeviceIndex>(i)).str());
  }
  return names;
}

// synchronize(device): waits until everything queued there is done
Napi::Value synchronize(const Napi::CallbackInfo& info) {
  at::accelerator::synchronizeDevice(expectAccelerator(info[0], "synchronize"));
  return info.Env().Undefined();
}

// deviceMemory(device) → { sizeBytes, peakBytes, reservedBytes } of libtorch's allocator there
Napi::Value deviceMemory(const Napi::CallbackInfo& info) {
  const auto stats = at::accelerator::getDeviceStats(expectAccelerator(info[0], "deviceMemory"));
  constexpr auto kAll = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  auto result = Napi::Object::New(info.Env());
  result.Set("sizeBytes", static_cast<double>(stats.allocated_bytes[kAll].current));
  result.Set("peakBytes", static_cast<double>(stats.allocated_bytes[kAll].peak));
  result.Set("reservedBytes", static_cast<double>(stats.reserved_bytes[kAll].peak));
  return result;
}

// resetPeakMemory(device): gives unused memory back and starts the peaks anew
Napi::Value resetPeakMemory(const Napi::CallbackInfo& info) {
  const auto index = expectAccelerator(info[0], "resetPeakMemory");
  at::accelerator::emptyCache();
  at::accelerator::resetPeakStats(index);
  return info.Env().Undefined();
}

}  // namespace onevision
