// Handles: the table of live tensors, type tags, external-memory accounting.
#include "bridge/handle.h"

#include <unordered_set>

#include "bridge/failure.h"
#include "bridge/schema.h"

namespace onevision {

namespace {

constexpr napi_type_tag kTensorTag{0x6f6e65766973696f, 0x6e2d74656e736f72};
constexpr napi_type_tag kGeneratorTag{0x6f6e65766973696f, 0x6e2d67656e657261};

void check(napi_env env, napi_status status) {
  if (status != napi_ok) throw Napi::Error::New(env);
}

void reportBytes(napi_env env, int64_t change) {
  if (change == 0) return;
  int64_t total;
  napi_adjust_external_memory(env, change, &total);
}

void* packHandle(uint32_t slot, uint32_t generation) {
  return reinterpret_cast<void*>((static_cast<uintptr_t>(generation) << 32) | slot);
}

// The slot that `data` names, or nullptr where its tensor was released.
Slot* liveSlot(AddonData& data, void* handle) {
  const auto packed = reinterpret_cast<uintptr_t>(handle);
  const auto index = static_cast<uint32_t>(packed);
  if (index >= data.slots.size()) return nullptr;
  Slot& slot = data.slots[index];
  return slot.generation == static_cast<uint32_t>(packed >> 32) ? &slot : nullptr;
}

uint32_t takeSlot(AddonData& data) {
  if (data.freeSlots.empty()) {
    data.slots.emplace_back();
    return static_cast<uint32_t>(data.slots.size() - 1);
  }
  const uint32_t index = data.freeSlots.back();
  data.freeSlots.pop_back();
  return index;
}

void finalizeGenerator(napi_env /*env*/, void* data, void* /*hint*/) {
  delete static_cast<at::Generator*>(data);
}

// Bytes that only this tensor keeps: a view or a second handle adds none.
int64_t ownBytes(const at::Tensor& tensor) {
  if (!tensor.has_storage() || tensor.use_count() != 1) return 0;
  const auto& storage = tensor.storage();
  return storage.use_count() == 1 ? static_cast<int64_t>(storage.nbytes()) : 0;
}

void* taggedPointer(napi_env env, napi_value value, const napi_type_tag& tag) {
  napi_valuetype type;
  if (value == nullptr || napi_typeof(env, value, &type) != napi_ok || type != napi_external) {
    return nullptr;
  }
  bool matches = false;
  void* data = nullptr;
  if (napi_check_object_type_tag(env, value, &tag, &matches) != napi_ok || !matches) return nullptr;
  return napi_get_value_external(env, value, &data) == napi_ok ? data : nullptr;
}

napi_value tagged(napi_env env, void* data, napi_finalize finalize, const napi_type_tag& tag) {
  napi_value result;
  check(env, napi_create_external(env, data, finalize, nullptr, &result));
  check(env, napi_type_tag_object(env, result, &tag));
  return result;
}

}  // namespace

AddonData::AddonData() = default;
AddonData::~AddonData() = default;

AddonData& addonData(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<AddonData*>(data);
}

napi_value wrapTensor(napi_env env, at::Tensor tensor) {
  if (!tensor.defined()) return Napi::Env(env).Null();
  AddonData& data = addonData(env);
  const uint32_t index = takeSlot(data);
  Slot& slot = data.slots[index];
  slot.reportedBytes = ownBytes(tensor);
  slot.tensor = std::move(tensor);
  reportBytes(env, slot.reportedBytes);
  return tagged(env, packHandle(index, slot.generation), nullptr, kTensorTag);
}

napi_value wrapGenerator(napi_env env, at::Generator generator) {
  auto* box = new at::Generator(std::move(generator));
  return tagged(env, box, finalizeGenerator, kGeneratorTag);
}

const at::Tensor* tryTensor(napi_env env, napi_value value) {
  void* handle = taggedPointer(env, value, kTensorTag);
  if (handle == nullptr) return nullptr;
  const Slot* slot = liveSlot(addonData(env), handle);
  if (slot == nullptr) {
    throw Failure("native", "The tensor was freed (dispose() or the end of its tidy() scope).",
                  "Return it from tidy(), or keep() it.");
  }
  return &slot->tensor;
}

const at::Tensor& expectTensor(const Napi::Value& value, const char* what) {
  const at::Tensor* tensor = tryTensor(value.Env(), value);
  if (tensor == nullptr) {
    throw Failure("native", std::string(what) + " expects a tensor handle; got something else.");
  }
  return *tensor;
}

const at::Generator* tryGenerator(napi_env env, napi_value value) {
  return static_cast<at::Generator*>(taggedPointer(env, value, kGeneratorTag));
}

void releaseTensor(napi_env env, napi_value value) {
  void* handle = taggedPointer(env, value, kTensorTag);
  if (handle == nullptr) {
    throw Failure("native", "release expects a tensor handle; got something else.");
  }
  AddonData& data = addonData(env);
  Slot* slot = liveSlot(data, handle);
  if (slot == nullptr) return;
  slot->tensor.reset();
  slot->generation += 1;
  data.freeSlots.push_back(static_cast<uint32_t>(reinterpret_cast<uintptr_t>(handle)));
  reportBytes(env, -slot->reportedBytes);
}

Napi::Value release(const Napi::CallbackInfo& info) {
  releaseTensor(info.Env(), info[0]);
  return info.Env().Undefined();
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  std::unordered_set<const void*> storages;
  double numTensors = 0;
  double sizeBytes = 0;
  for (const Slot& slot : addonData(info.Env()).slots) {
    if (!slot.tensor.defined()) continue;
    numTensors += 1;
    if (!slot.tensor.has_storage()) continue;
    const auto& storage = slot.tensor.storage();
    if (storages.insert(storage.unsafeGetStorageImpl()).second) {
      sizeBytes += static_cast<double>(storage.nbytes());
    }
  }
  auto result = Napi::Object::New(info.Env());
  result.Set("numTensors", numTensors);
  result.Set("sizeBytes", sizeBytes);
  return result;
}

}  // namespace onevision
