// Names: dtypes and devices as JavaScript writes them, and how messages show a value.
#include <c10/core/Device.h>

#include <sstream>

#include "bridge/convert.h"
#include "bridge/failure.h"
#include "bridge/handle.h"

namespace onevision {

namespace {

struct DtypeName {
  const char* name;
  c10::ScalarType dtype;
};

constexpr DtypeName kDtypes[] = {
    {"float32", c10::ScalarType::Float},
    {"float64", c10::ScalarType::Double},
    {"float16", c10::ScalarType::Half},
    {"bfloat16", c10::ScalarType::BFloat16},
    {"int64", c10::ScalarType::Long},
    {"int32", c10::ScalarType::Int},
    {"int16", c10::ScalarType::Short},
    {"int8", c10::ScalarType::Char},
    {"uint8", c10::ScalarType::Byte},
    {"bool", c10::ScalarType::Bool},
    {"uint16", c10::ScalarType::UInt16},
    {"uint32", c10::ScalarType::UInt32},
    {"uint64", c10::ScalarType::UInt64},
    {"float8_e4m3fn", c10::ScalarType::Float8_e4m3fn},
    {"float8_e5m2", c10::ScalarType::Float8_e5m2},
    {"complex64", c10::ScalarType::ComplexFloat},
    {"complex128", c10::ScalarType::ComplexDouble},
};

constexpr size_t kMaxShownText = 40;
constexpr uint32_t kMaxShownElements = 6;

std::string describeArray(const Napi::Array& array) {
  const uint32_t length = array.Length();
  std::string text = "[";
  for (uint32_t i = 0; i < length && i < kMaxShownElements; ++i) {
    text += (i > 0 ? ", " : "") + describeValue(array.Env(), array.Get(i));
  }
  return text + (length > kMaxShownElements ? ", … " + std::to_string(length) + "]" : "]");
}

}  // namespace

c10::ScalarType parseDtype(const std::string& name) {
  for (const auto& entry : kDtypes) {
    if (name == entry.name) return entry.dtype;
  }
  throw Mismatch{"a dtype such as \"float32\" or \"bfloat16\"", "\"" + name + "\""};
}

std::string dtypeName(c10::ScalarType dtype) {
  for (const auto& entry : kDtypes) {
    if (dtype == entry.dtype) return entry.name;
  }
  return c10::toString(dtype);
}

c10::Device parseDevice(const std::string& name) {
  try {
    return c10::Device(name);
  } catch (const c10::Error&) {
    throw Mismatch{"a device such as \"cpu\" or \"cuda:0\"", "\"" + name + "\""};
  }
}

std::string describeTensor(const at::Tensor& tensor) {
  if (!tensor.defined()) return "no tensor";
  std::ostringstream text;
  text << dtypeName(tensor.scalar_type()) << "[";
  for (int64_t i = 0; i < tensor.dim(); ++i) text << (i > 0 ? ", " : "") << tensor.size(i);
  text << "]";
  if (!tensor.is_cpu()) text << " on " << tensor.device().str();
  return text.str();
}

std::string describeValue(napi_env env, napi_value raw) {
  if (raw == nullptr) return "nothing";
  const Napi::Value value(env, raw);
  if (value.IsUndefined()) return "undefined";
  if (value.IsNull()) return "null";
  if (value.IsExternal()) {
    if (const auto* tensor = tryTensor(env, raw)) return "Tensor " + describeTensor(*tensor);
    return tryGenerator(env, raw) != nullptr ? "a Generator" : "a foreign handle";
  }
  if (value.IsArray()) return describeArray(value.As<Napi::Array>());
  if (value.IsFunction()) return "a function";
  if (value.IsObject()) return "an object";
  std::string text = value.ToString();
  if (text.size() > kMaxShownText) text = text.substr(0, kMaxShownText) + "…";
  if (value.IsString()) return "\"" + text + "\"";
  return text;
}

}  // namespace onevision
