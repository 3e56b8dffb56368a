// Handles: creation, type tags, the ring of live tensors, external-memory accounting.
#include "handle.h"

#include <unordered_set>

#include "failure.h"

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

void link(Box& head, Box& box) {
  if (head.next == nullptr) head.next = head.previous = &head;
  box.previous = &head;
  box.next = head.next;
  head.next->previous = &box;
  head.next = &box;
}

void unlink(Box& box) {
  box.previous->next = box.next;
  box.next->previous = box.previous;
  box.previous = box.next = nullptr;
}

void empty(napi_env env, Box& box) {
  if (!box.tensor.defined()) return;
  box.tensor.reset();
  unlink(box);
  reportBytes(env, -box.reportedBytes);
}

void finalizeBox(napi_env env, void* data, void* /*hint*/) {
  auto* box = static_cast<Box*>(data);
  empty(env, *box);
  delete box;
}

void finalizeGenerator(napi_env /*env*/, void* data, void* /*hint*/) {
  delete static_cast<at::Generator*>(data);
}

// Bytes that only this handle keeps: a view or a second handle adds none.
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

AddonData& addonData(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<AddonData*>(data);
}

napi_value wrapTensor(napi_env env, at::Tensor tensor) {
  if (!tensor.defined()) return Napi::Env(env).Null();
  auto* box = new Box();
  box->reportedBytes = ownBytes(tensor);
  box->tensor = std::move(tensor);
  link(addonData(env).live, *box);
  reportBytes(env, box->reportedBytes);
  return tagged(env, box, finalizeBox, kTensorTag);
}

napi_value wrapGenerator(napi_env env, at::Generator generator) {
  auto* box = new at::Generator(std::move(generator));
  return tagged(env, box, finalizeGenerator, kGeneratorTag);
}

const at::Tensor* tryTensor(napi_env env, napi_value value) {
  auto* box = static_cast<Box*>(taggedPointer(env, value, kTensorTag));
  if (box == nullptr) return nullptr;
  if (!box->tensor.defined()) {
    throw Failure("native", "The tensor was freed (dispose() or the end of its tidy() scope).",
                  "Return it from tidy(), or keep() it.");
  }
  return &box->tensor;
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

Napi::Value release(const Napi::CallbackInfo& info) {
  auto* box = static_cast<Box*>(taggedPointer(info.Env(), info[0], kTensorTag));
  if (box == nullptr) throw Failure("native", "release expects a tensor handle; got something else.");
  empty(info.Env(), *box);
  return info.Env().Undefined();
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  const Box& head = addonData(info.Env()).live;
  std::unordered_set<const void*> storages;
  double numTensors = 0;
  double sizeBytes = 0;
  for (const Box* box = head.next; box != nullptr && box != &head; box = box->next) {
    numTensors += 1;
    if (!box->tensor.has_storage()) continue;
    const auto& storage = box->tensor.storage();
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
