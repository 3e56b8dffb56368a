// Failures on their way to JavaScript: every exported function ends in a value or in a OneVisionError.
#pragma once

#include <napi.h>

#include <exception>
#include <string>

namespace onevision {

// What a user is told. `code` is one of the closed codes of src/core/errors.ts.
struct Failure : std::exception {
  Failure(std::string code, std::string message, std::string hint = "")
      : code(std::move(code)), message(std::move(message)), hint(std::move(hint)) {}
  const char* what() const noexcept override { return message.c_str(); }

  std::string code;
  std::string message;
  std::string hint;
};

// Turns the exception being handled into a Failure: out of memory → 'memory', the rest → 'native'.
Failure currentFailure();

// The factory (code, message, hint) → Error that JavaScript registers once.
Napi::Value setErrorFactory(const Napi::CallbackInfo& info);

// Throws `failure` as a pending JavaScript exception, for callers that use the plain C API.
void throwPending(napi_env env, const Failure& failure);

// Wraps an exported function so that no C++ exception leaves it.
template <Napi::Value (*Function)(const Napi::CallbackInfo&)>
Napi::Value guarded(const Napi::CallbackInfo& info) {
  try {
    return Function(info);
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throwPending(info.Env(), currentFailure());
    return Napi::Value();
  }
}

}  // namespace onevision
