// Values across the border: JavaScript → IValue by the schema's type, IValue → JavaScript.
#pragma once

#include <ATen/core/ivalue.h>
#include <napi.h>

#include <string>

#include "bridge/schema.h"

namespace onevision {

// Thrown by toIValue; the caller adds operator and argument name.
struct Mismatch {
  std::string expected;
  std::string got;
};

// undefined and null become None for optional types. Numbers: an integral JavaScript number given for
// a Scalar is an integer (as 2 and 2.0 are one value there); bigint always is.
c10::IValue toIValue(napi_env env, napi_value value, const ValueType& type);

// Tensor → handle or null, lists → arrays, everything else → number, boolean or string.
napi_value fromIValue(napi_env env, c10::IValue& value, const ValueType& type);

c10::ScalarType parseDtype(const std::string& name);
std::string dtypeName(c10::ScalarType dtype);
c10::Device parseDevice(const std::string& name);

// "float32[2, 3] on cpu": how messages show a tensor.
std::string describeTensor(const at::Tensor& tensor);
// What a JavaScript value is, in a few words, for messages.
std::string describeValue(napi_env env, napi_value value);

}  // namespace onevision
