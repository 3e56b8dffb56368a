// onevision::linear: aten::linear where a graph is recorded or another device holds the weight; on the
// processor without a graph, kernels for the few rows of a decoding step, and int8 weights.
// Shapes: x [..., in], weight [out, in], bias [out], scale [out] (int8 only) → [..., out].
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <optional>

#include "bridge/failure.h"
#include "kernels/few_rows.h"

namespace onevision {

namespace {

// Beyond so many rows a matrix product that unpacks the weights first is faster.
constexpr int64_t kFewRows = 16;
// Outputs a thread takes at least.
constexpr int64_t kGrain = 64;
// Weights unpacked to float32 at once, so that no second copy of a matrix is ever held.
constexpr int64_t kUnpackedElements = 1 << 22;

void expect(bool holds, const std::string& message) {
  if (!holds) throw Failure("native", "linear expects " + message + ".");
}

template <typename W>
void runFewRows(const at::Tensor& x, const at::Tensor& weight, const float* scale,
                const float* bias, at::Tensor& out) {
  const float* rows = x.const_data_ptr<float>();
  const auto packed = FewRows<W>::pack(rows, x.size(0), x.size(1));
  const FewRows<W> product{rows, packed.data(), static_cast<const W*>(weight.const_data_ptr()),
                           scale, bias, out.mutable_data_ptr<float>(),
                           x.size(0), weight.size(1), weight.size(0)};
  at::parallel_for(0, weight.size(0), kGrain,
                   [&](int64_t begin, int64_t end) { product.run(begin, end); });
}

at::Tensor fewRows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& scale,
                   const at::Tensor& bias) {
  auto out = at::empty({x.size(0), weight.size(0)}, x.options());
  const float* scales = scale.defined() ? scale.const_data_ptr<float>() : nullptr;
  const float* biases = bias.defined() ? bias.const_data_ptr<float>() : nullptr;
  switch (weight.scalar_type()) {
    case at::kFloat: runFewRows<float>(x, weight, scales, biases, out); break;
    case at::kBFloat16: runFewRows<uint16_t>(x, weight, scales, biases, out); break;
    default: runFewRows<int8_t>(x, weight, scales, biases, out);
  }
  return out;
}

// Many rows: some rows of the weight at a time as float32, then a float32 product.
at::Tensor manyRows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& scale,
                    const at::Tensor& bias) {
  auto out = at::empty({x.size(0), weight.size(0)}, x.options());
  const int64_t step = std::max<int64_t>(1, kUnpackedElements / weight.size(1));
  for (int64_t begin = 0; begin < weight.size(0); begin += step) {
    const int64_t count = std::min(step, weight.size(0) - begin);
    const auto part = weight.narrow(0, begin, count).to(at::kFloat);
    auto slice = out.narrow(1, begin, count);
    slice.copy_(at::mm(x, part.t()));
  }
  if (scale.defined()) out.mul_(scale);
  if (bias.defined()) out.add_(bias);
  return out;
}

at::Tensor asFloat(const std::optional<at::Tensor>& tensor) {
  if (!tensor.has_value() || !tensor->defined()) return {};
  return tensor->to(at::kFloat).contiguous();
}

// Whether ATen's own product is the right one.
bool leaveToAten(const at::Tensor& x, const at::Tensor& weight, int64_t rows) {
  if (at::GradMode::is_enabled() || !weight.is_cpu() || !x.is_cpu()) return true;
  if (x.scalar_type() != weight.scalar_type() || weight.dim() != 2) return true;
  const bool isBfloat16 = weight.scalar_type() == at::kBFloat16;
  if (!hasFewRowsKernel() || (weight.scalar_type() != at::kFloat && !isBfloat16)) return true;
  return rows > kFewRows && (!isBfloat16 || hasBfloat16Products());
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias, const std::optional<at::Tensor>& scale) {
  const bool isInt8 = weight.scalar_type() == at::kChar;
  expect(scale.has_value() == isInt8, "a scale with int8 weights and with no others");
  const int64_t rows = x.dim() == 0 || x.size(-1) == 0 ? 0 : x.numel() / x.size(-1);
  if (!isInt8 && (rows == 0 || leaveToAten(x, weight, rows))) return at::linear(x, weight, bias);
  expect(weight.dim() == 2 && x.dim() > 0 && x.size(-1) == weight.size(1),
         "x [..., in] and weight [out, in]");
  expect(!isInt8 || scale->numel() == weight.size(0), "one scale for each row of the weight");
  const auto flat = x.reshape({-1, weight.size(1)}).to(at::kFloat).contiguous();
  const auto packed = weight.contiguous();
  const bool isFew = rows <= kFewRows && weight.is_cpu() && hasFewRowsKernel();
  const auto out = isFew ? fewRows(flat, packed, asFloat(scale), asFloat(bias))
                         : manyRows(flat, packed, asFloat(scale), asFloat(bias));
  auto shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return out.to(x.scalar_type()).view(shape);
}

}  // namespace

TORCH_LIBRARY(onevision, library) {
  library.def("linear(Tensor x, Tensor weight, Tensor? bias=None, *, Tensor? scale=None) -> Tensor",
              linear);
}

}  // namespace onevision
