// onevision::rms_norm: aten::rms_norm where a graph is recorded or another device holds the rows; one
// pass of our own on the processor without a graph, where ATen runs eight operators.
// Shapes: x [..., dim], weight [dim] → [..., dim].
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <cmath>

namespace onevision {

namespace {

constexpr int64_t kNormGrain = 16;
constexpr int64_t kNormLanes = 8;

template <typename T>
void normaliseRow(const T* x, const T* weight, T* out, int64_t dim, double eps) {
  float lanes[kNormLanes] = {};
  const int64_t whole = dim - dim % kNormLanes;
  for (int64_t i = 0; i < whole; i += kNormLanes) {
    for (int64_t j = 0; j < kNormLanes; ++j) {
      const auto value = static_cast<float>(x[i + j]);
      lanes[j] += value * value;
    }
  }
  double sum = 0;
  for (const float lane : lanes) sum += lane;
  for (int64_t i = whole; i < dim; ++i) sum += static_cast<float>(x[i]) * static_cast<float>(x[i]);
  const auto scale = static_cast<float>(1 / std::sqrt(sum / static_cast<double>(dim) + eps));
  for (int64_t i = 0; i < dim; ++i) {
    out[i] = static_cast<T>(static_cast<float>(x[i]) * scale * static_cast<float>(weight[i]));
  }
}

template <typename T>
void normaliseRows(const at::Tensor& x, const at::Tensor& weight, at::Tensor& out, double eps) {
  const int64_t dim = weight.size(0);
  const T* from = x.const_data_ptr<T>();
  const T* scale = weight.const_data_ptr<T>();
  T* to = out.mutable_data_ptr<T>();
  at::parallel_for(0, x.numel() / dim, kNormGrain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      normaliseRow(from + row * dim, scale, to + row * dim, dim, eps);
    }
  });
}

at::Tensor rmsNormRows(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const auto dtype = x.scalar_type();
  const bool isOurs = !at::GradMode::is_enabled() && x.is_cpu() && weight.is_cpu() &&
                      weight.scalar_type() == dtype && weight.is_contiguous() &&
                      (dtype == at::kFloat || dtype == at::kBFloat16) && weight.dim() == 1 &&
                      x.dim() > 0 && x.size(-1) == weight.size(0) && x.numel() > 0;
  if (!isOurs) return at::rms_norm(x, weight.sizes(), weight, eps);
  const auto rows = x.contiguous();
  auto out = at::empty(rows.sizes(), rows.options());
  if (dtype == at::kFloat) normaliseRows<float>(rows, weight, out, eps);
  else normaliseRows<at::BFloat16>(rows, weight, out, eps);
  return out;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(onevision, library) {
  library.def("rms_norm(Tensor x, Tensor weight, float eps) -> Tensor", rmsNormRows);
}

}  // namespace onevision
