// The bridge: call(operatorId, ...arguments) runs any ATen operator through the dispatcher.
#include <ATen/core/stack.h>

#include <string>

#include "bindings.h"
#include "bridge/convert.h"
#include "bridge/failure.h"
#include "bridge/handle.h"
#include "bridge/schema.h"

namespace onevision {

namespace {

constexpr size_t kMaxArguments = 48;

[[noreturn]] void badArgument(const Operator& op, size_t index, const Mismatch& mismatch) {
  const auto& argument = op.schema().arguments()[index];
  throw Failure("native", op.name + " expects for `" + argument.name() + "` (" +
                              op.arguments[index].text() + ") " + mismatch.expected + "; got " +
                              mismatch.got + ".");
}

// Adds to a failure the operator, what it was called with, and its schema as a hint.
Failure inContext(napi_env env, const Operator& op, const napi_value* values, size_t count,
                  const Failure& failure) {
  std::string reason = failure.message;
  while (!reason.empty() && std::string(".\n ").find(reason.back()) != std::string::npos) {
    reason.pop_back();
  }
  std::string given;
  for (size_t i = 0; i < op.arguments.size() && i < count; ++i) {
    napi_valuetype type;
    napi_typeof(env, values[i], &type);
    if (type == napi_undefined) continue;
    given += given.empty() ? "" : ", ";
    given += op.schema().arguments()[i].name() + " = " + describeValue(env, values[i]);
  }
  const std::string hint =
      failure.hint.empty() ? "Its schema: " + c10::toString(op.schema()) : failure.hint;
  return Failure(failure.code, op.name + " failed: " + reason + ". It was called with " + given + ".",
                 hint);
}

// Without the undefined ones at the end: generated functions name the optional arguments of the newest
// libtorch, and an older one may not have them all.
size_t countGiven(napi_env env, const napi_value* values, size_t count, size_t most) {
  napi_valuetype type = napi_undefined;
  while (count > most && napi_typeof(env, values[count - 1], &type) == napi_ok &&
         type == napi_undefined) {
    count -= 1;
  }
  return count;
}

void pushArguments(napi_env env, const Operator& op, const napi_value* values, size_t count,
                   torch::jit::Stack& stack) {
  if (count > op.arguments.size()) {
    throw Failure("native", op.name + " expects at most " + std::to_string(op.arguments.size()) +
                                " arguments; got " + std::to_string(count) + ".");
  }
  stack.reserve(op.arguments.size());
  for (size_t i = 0; i < op.arguments.size(); ++i) {
    napi_valuetype type = napi_undefined;
    if (i < count) napi_typeof(env, values[i], &type);
    const auto& fallback = op.schema().arguments()[i].default_value();
    if (type == napi_undefined && fallback.has_value()) {
      stack.push_back(*fallback);
      continue;
    }
    try {
      stack.push_back(toIValue(env, i < count ? values[i] : nullptr, op.arguments[i]));
    } catch (const Mismatch& mismatch) {
      badArgument(op, i, mismatch);
    } catch (const Failure& failure) {
      const auto& name = op.schema().arguments()[i].name();
      throw Failure(failure.code, op.name + ", `" + name + "`: " + failure.message, failure.hint);
    }
  }
}

napi_value popResults(napi_env env, const Operator& op, const napi_value* values,
                      torch::jit::Stack& stack) {
  if (op.returnedArgument >= 0) return values[op.returnedArgument];
  if (stack.empty()) return Napi::Env(env).Undefined();
  if (stack.size() == 1) return fromIValue(env, stack[0], op.returns[0]);
  auto results = Napi::Array::New(env, stack.size());
  for (size_t i = 0; i < stack.size(); ++i) {
    results.Set(i, Napi::Value(env, fromIValue(env, stack[i], op.returns[i])));
  }
  return results;
}

napi_value run(napi_env env, const Operator& op, const napi_value* values, size_t count) {
  torch::jit::Stack stack;
  pushArguments(env, op, values, count, stack);
  try {
    op.handle->callBoxed(stack);
  } catch (...) {
    throw inContext(env, op, values, count, currentFailure());
  }
  return popResults(env, op, values, stack);
}

}  // namespace

napi_value call(napi_env env, napi_callback_info info) {
  try {
    size_t count = kMaxArguments;
    napi_value values[kMaxArguments];
    uint32_t id = 0;
    napi_get_cb_info(env, info, &count, values, nullptr, nullptr);
    if (count == 0 || count > kMaxArguments ||
        napi_get_value_uint32(env, values[0], &id) != napi_ok) {
      throw Failure("native", "call expects an operator number and its arguments.");
    }
    const Operator& op = operatorAt(env, id);
    return run(env, op, values + 1, countGiven(env, values + 1, count - 1, op.arguments.size()));
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  } catch (...) {
    throwPending(env, currentFailure());
  }
  return nullptr;
}

}  // namespace onevision
