// Operators and the types of their arguments, read once from the dispatcher's schemas.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <napi.h>

#include <optional>
#include <string>
#include <vector>

namespace onevision {

enum class Kind : uint8_t {
  Tensor, Scalar, Int, Float, Bool, String, Dtype, Layout, Device, MemoryFormat, Generator, Other,
};

const char* kindName(Kind kind);

struct ValueType {
  Kind kind = Kind::Other;
  bool optional = false;         // T?
  bool list = false;             // T[]
  bool optionalElement = false;  // T?[]
  int32_t size = 0;              // 2 for int[2]: one number stands for two

  std::string text() const;
};

struct Operator {
  std::string name;  // "aten::add.Tensor"
  std::optional<c10::OperatorHandle> handle;
  std::vector<ValueType> arguments;
  std::vector<ValueType> returns;
  int returnedArgument = -1;  // an in-place operator returns this argument itself

  const c10::FunctionSchema& schema() const { return handle->schema(); }
};

// The operator with this number, its schema looked up on first use.
Operator& operatorAt(napi_env env, uint32_t id);

// operatorId("aten::add.Tensor") → number to pass to call(); never fails.
Napi::Value operatorId(const Napi::CallbackInfo& info);
// describeOperator(name) → its schema as plain data, for the generator and for messages.
Napi::Value describeOperator(const Napi::CallbackInfo& info);

}  // namespace onevision
