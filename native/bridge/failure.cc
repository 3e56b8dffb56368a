// Failures: classify a C++ exception and hand it to the error factory of JavaScript.
#include "bridge/failure.h"

#include <c10/util/Exception.h>

#include <new>

#include "bridge/handle.h"

namespace onevision {

namespace {

constexpr const char* kMemoryHint =
    "Use a smaller batch, shorter packs or a smaller model, or free tensors sooner with tidy().";

bool mentionsAllocation(const std::string& message) {
  return message.find("can't allocate memory") != std::string::npos ||
         message.find("not enough memory") != std::string::npos ||
         message.find("out of memory") != std::string::npos;
}

}  // namespace

Failure currentFailure() {
  try {
    throw;
  } catch (const Failure& failure) {
    return failure;
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    const bool memory =
        dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr || mentionsAllocation(message);
    return memory ? Failure("memory", message, kMemoryHint) : Failure("native", message);
  } catch (const std::bad_alloc&) {
    return Failure("memory", "The machine has no memory left.", kMemoryHint);
  } catch (const std::exception& error) {
    return Failure("native", error.what());
  } catch (...) {
    return Failure("native", "libtorch threw something that is not an exception.");
  }
}

Napi::Value setErrorFactory(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsFunction()) {
    throw Failure("native", "setErrorFactory expects one function (code, message, hint) => Error.");
  }
  addonData(info.Env()).errorFactory = Napi::Persistent(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

void throwPending(napi_env rawEnv, const Failure& failure) {
  const Napi::Env env(rawEnv);
  const auto& factory = addonData(env).errorFactory;
  napi_value error;
  if (factory.IsEmpty()) {
    error = Napi::Error::New(env, failure.message).Value();
  } else {
    error = factory.Call({Napi::String::New(env, failure.code),
                          Napi::String::New(env, failure.message),
                          Napi::String::New(env, failure.hint)});
  }
  napi_throw(env, error);
}

}  // namespace onevision
