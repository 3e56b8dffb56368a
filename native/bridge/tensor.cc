// Tensors and typed arrays: shape and type of a handle, bytes in and out.
#include <ATen/Functions.h>

#include <cstring>

#include "bindings.h"
#include "bridge/convert.h"
#include "bridge/failure.h"
#include "bridge/handle.h"

namespace onevision {

namespace {

struct Bytes {
  uint8_t* data;
  size_t size;
};

Bytes expectBytes(const Napi::Value& value) {
  if (!value.IsTypedArray()) {
    throw Failure("native", "Expected a typed array; got " + describeValue(value.Env(), value) + ".");
  }
  const auto array = value.As<Napi::TypedArray>();
  auto* start = static_cast<uint8_t*>(array.ArrayBuffer().Data());
  return {start + array.ByteOffset(), array.ByteLength()};
}

std::vector<int64_t> expectShape(const Napi::Value& value) {
  static const ValueType kShape{Kind::Int, false, true, false, 0};
  return toIValue(value.Env(), value, kShape).toIntVector();
}

}  // namespace

// tensorInfo(handle) → [dtype, device, ...shape]
Napi::Value tensorInfo(const Napi::CallbackInfo& info) {
  const auto& tensor = expectTensor(info[0], "tensorInfo");
  auto result = Napi::Array::New(info.Env(), 2 + tensor.dim());
  result.Set(0u, dtypeName(tensor.scalar_type()));
  result.Set(1u, tensor.device().str());
  for (int64_t i = 0; i < tensor.dim(); ++i) {
    result.Set(static_cast<uint32_t>(2 + i), static_cast<double>(tensor.size(i)));
  }
  return result;
}

// fromData(typedArray, dtype, shape, device) → handle of a tensor with a copy of the data. On its way to a
// device it lies in pinned memory, which libtorch keeps for the next one: the copy waits for nothing.
Napi::Value fromData(const Napi::CallbackInfo& info) {
  const Bytes bytes = expectBytes(info[0]);
  try {
    const auto dtype = parseDtype(info[1].ToString());
    const auto shape = expectShape(info[2]);
    const auto device = parseDevice(info[3].ToString());
    auto tensor = at::empty(shape, at::TensorOptions().dtype(dtype).pinned_memory(!device.is_cpu()));
    if (tensor.nbytes() != bytes.size) {
      throw Failure("native", "The shape of a " + describeTensor(tensor) + " needs " +
                                  std::to_string(tensor.nbytes()) + " bytes; the data has " +
                                  std::to_string(bytes.size) + ".");
    }
    if (bytes.size > 0) std::memcpy(tensor.mutable_data_ptr(), bytes.data, bytes.size);
    if (!device.is_cpu()) tensor = tensor.to(device, /*non_blocking=*/true);
    return {info.Env(), wrapTensor(info.Env(), std::move(tensor))};
  } catch (const Mismatch& mismatch) {
    throw Failure("native", "A tensor from an array expects " + mismatch.expected + "; got " +
                                mismatch.got + ".");
  }
}

// toData(handle, typedArray, dtype): copies the elements, converted to dtype, in row-major order
Napi::Value toData(const Napi::CallbackInfo& info) {
  const auto& source = expectTensor(info[0], "toData");
  const Bytes bytes = expectBytes(info[1]);
  const auto dtype = parseDtype(info[2].ToString());
  const auto tensor = source.detach().to(at::kCPU, dtype).contiguous();
  if (tensor.nbytes() != bytes.size) {
    throw Failure("native", describeTensor(tensor) + " has " + std::to_string(tensor.nbytes()) +
                                " bytes; the array to fill has " + std::to_string(bytes.size) + ".");
  }
  if (bytes.size > 0) std::memcpy(bytes.data, tensor.const_data_ptr(), bytes.size);
  return info.Env().Undefined();
}

// item(handle) → the one element as a number (a bigint beyond 2^53)
Napi::Value item(const Napi::CallbackInfo& info) {
  const auto& tensor = expectTensor(info[0], "item");
  if (tensor.numel() != 1) {
    throw Failure("native", "item expects a tensor of one element; got " + describeTensor(tensor) +
                                ".", "Use toArray() for more than one.");
  }
  c10::IValue value = tensor.item();
  return {info.Env(), fromIValue(info.Env(), value, ValueType{})};
}

}  // namespace onevision
