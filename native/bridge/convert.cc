// Conversion of one argument or result, guided by the type that the operator's schema gives.
#include "bridge/convert.h"

#include <c10/core/Layout.h>
#include <c10/core/MemoryFormat.h>

#include <cmath>

#include "bridge/failure.h"
#include "bridge/handle.h"

namespace onevision {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

[[noreturn]] void mismatch(napi_env env, napi_value value, const std::string& expected) {
  throw Mismatch{expected, describeValue(env, value)};
}

napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  if (value != nullptr) napi_typeof(env, value, &type);
  return type;
}

bool isSafeInteger(double number) {
  return std::trunc(number) == number && std::fabs(number) <= kMaxSafeInteger;
}

double toDouble(napi_env env, napi_value value) {
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok) mismatch(env, value, "a number");
  return number;
}

int64_t bigintToInt(napi_env env, napi_value value) {
  int64_t number = 0;
  bool lossless = false;
  napi_get_value_bigint_int64(env, value, &number, &lossless);
  if (!lossless) mismatch(env, value, "an integer of 64 bits");
  return number;
}

int64_t toInt(napi_env env, napi_value value) {
  if (typeOf(env, value) == napi_bigint) return bigintToInt(env, value);
  double number;
  if (napi_get_value_double(env, value, &number) != napi_ok || !isSafeInteger(number)) {
    mismatch(env, value, "an integer");
  }
  return static_cast<int64_t>(number);
}

bool toBool(napi_env env, napi_value value) {
  bool result;
  if (napi_get_value_bool(env, value, &result) != napi_ok) mismatch(env, value, "a boolean");
  return result;
}

std::string toText(napi_env env, napi_value value, const char* expected) {
  if (typeOf(env, value) != napi_string) mismatch(env, value, expected);
  return Napi::String(env, value);
}

c10::Scalar toScalar(napi_env env, napi_value value) {
  switch (typeOf(env, value)) {
    case napi_boolean: return c10::Scalar(toBool(env, value));
    case napi_bigint: return c10::Scalar(bigintToInt(env, value));
    case napi_number: {
      const double number = toDouble(env, value);
      const bool integral = isSafeInteger(number) && !(number == 0 && std::signbit(number));
      return integral ? c10::Scalar(static_cast<int64_t>(number)) : c10::Scalar(number);
    }
    default: mismatch(env, value, "a number, a bigint or a boolean");
  }
}

c10::MemoryFormat toMemoryFormat(napi_env env, napi_value value) {
  const char* expected = "\"contiguous\", \"preserve\", \"channelsLast\" or \"channelsLast3d\"";
  const std::string name = toText(env, value, expected);
  if (name == "contiguous") return c10::MemoryFormat::Contiguous;
  if (name == "preserve") return c10::MemoryFormat::Preserve;
  if (name == "channelsLast") return c10::MemoryFormat::ChannelsLast;
  if (name == "channelsLast3d") return c10::MemoryFormat::ChannelsLast3d;
  mismatch(env, value, expected);
}

c10::Layout toLayout(napi_env env, napi_value value) {
  if (toText(env, value, "\"strided\"") == "strided") return c10::Layout::Strided;
  mismatch(env, value, "\"strided\", the one layout of OneVision");
}

const at::Tensor& toTensor(napi_env env, napi_value value) {
  const auto* tensor = tryTensor(env, value);
  if (tensor == nullptr) mismatch(env, value, "a Tensor");
  return *tensor;
}

c10::IValue toElement(napi_env env, napi_value value, Kind kind) {
  switch (kind) {
    case Kind::Tensor: return toTensor(env, value);
    case Kind::Scalar: return toScalar(env, value);
    case Kind::Int: return toInt(env, value);
    case Kind::Float: return toDouble(env, value);
    case Kind::Bool: return toBool(env, value);
    case Kind::String: return toText(env, value, "a string");
    case Kind::Dtype: return parseDtype(toText(env, value, "a dtype such as \"float32\""));
    case Kind::Layout: return toLayout(env, value);
    case Kind::Device: return parseDevice(toText(env, value, "a device such as \"cpu\""));
    case Kind::MemoryFormat: return toMemoryFormat(env, value);
    case Kind::Generator: {
      const auto* generator = tryGenerator(env, value);
      if (generator == nullptr) mismatch(env, value, "a Generator");
      return *generator;
    }
    case Kind::Other: break;
  }
  mismatch(env, value, "a type that the addon cannot pass");
}

// Calls append(element) for each element; `single` lets one value stand for itself.
template <typename Append>
void forEachElement(napi_env env, napi_value value, bool single, Append append) {
  bool isArray = false;
  napi_is_array(env, value, &isArray);
  if (!isArray) {
    if (single) return append(value);
    mismatch(env, value, "an array");
  }
  uint32_t length = 0;
  napi_get_array_length(env, value, &length);
  for (uint32_t i = 0; i < length; ++i) {
    napi_value element;
    napi_get_element(env, value, i, &element);
    append(element);
  }
}

template <typename T, typename Convert>
c10::IValue toList(napi_env env, napi_value value, int32_t size, Convert convert) {
  c10::List<T> list;
  const bool single = size > 0 && typeOf(env, value) != napi_object;
  forEachElement(env, value, single, [&](napi_value e) { list.push_back(convert(env, e)); });
  while (single && static_cast<int32_t>(list.size()) < size) list.push_back(list.get(0));
  return list;
}

c10::IValue toOptionalTensors(napi_env env, napi_value value) {
  c10::List<std::optional<at::Tensor>> list;
  forEachElement(env, value, false, [&](napi_value element) {
    const auto type = typeOf(env, element);
    const bool absent = type == napi_null || type == napi_undefined;
    list.push_back(absent ? std::nullopt : std::optional(toTensor(env, element)));
  });
  return list;
}

napi_value numberValue(napi_env env, double number) {
  napi_value result;
  napi_create_double(env, number, &result);
  return result;
}

napi_value intValue(napi_env env, int64_t number) {
  napi_value result;
  if (std::llabs(number) <= static_cast<int64_t>(kMaxSafeInteger)) {
    napi_create_int64(env, number, &result);
  } else {
    napi_create_bigint_int64(env, number, &result);
  }
  return result;
}

}  // namespace

c10::IValue toIValue(napi_env env, napi_value value, const ValueType& type) {
  if (type.optional) {
    const auto given = typeOf(env, value);
    if (given == napi_null || given == napi_undefined) return {};
  }
  if (!type.list) return toElement(env, value, type.kind);
  switch (type.kind) {
    case Kind::Tensor:
      if (type.optionalElement) return toOptionalTensors(env, value);
      return toList<at::Tensor>(env, value, 0, toTensor);
    case Kind::Scalar: return toList<c10::Scalar>(env, value, 0, toScalar);
    case Kind::Int: return toList<int64_t>(env, value, type.size, toInt);
    case Kind::Float: return toList<double>(env, value, type.size, toDouble);
    case Kind::Bool: return toList<bool>(env, value, type.size, toBool);
    default: mismatch(env, value, "a list type that the addon cannot pass");
  }
}

napi_value fromIValue(napi_env env, c10::IValue& value, const ValueType& type) {
  if (value.isTensor()) return wrapTensor(env, std::move(value).toTensor());
  if (value.isNone()) return Napi::Env(env).Null();
  if (value.isBool()) return Napi::Boolean::New(env, value.toBool());
  if (value.isDouble()) return numberValue(env, value.toDouble());
  if (value.isString()) return Napi::String::New(env, value.toStringRef());
  if (value.isInt()) {
    if (type.kind != Kind::Dtype) return intValue(env, value.toInt());
    return Napi::String::New(env, dtypeName(static_cast<c10::ScalarType>(value.toInt())));
  }
  if (value.isList()) {
    const auto elements = value.toListRef();
    auto array = Napi::Array::New(env, elements.size());
    for (size_t i = 0; i < elements.size(); ++i) {
      c10::IValue element = elements[i];
      array.Set(i, Napi::Value(env, fromIValue(env, element, type)));
    }
    return array;
  }
  throw Failure("native", "An operator returned a " + value.tagKind() + ", which has no meaning here.");
}

}  // namespace onevision
