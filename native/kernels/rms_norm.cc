// onevision::rms_norm: one pass over each row with a backward of its own on the processor, where ATen
// runs eight operators; aten::rms_norm elsewhere and where a graph is recorded in half precision.
// Shapes: x [..., dim], weight [dim] → [..., dim].
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace onevision {

namespace {

constexpr int64_t kNormGrain = 16;
constexpr int64_t kNormLanes = 8;
// Rows whose share of the weight's gradient is summed first: the same sums for any number of threads.
constexpr int64_t kNormChunk = 64;

// float for bfloat16, else the type itself.
template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

// Σ term(i) in lanes, so that rounding does not grow with the row.
template <typename A, typename Term>
double sumOf(int64_t dim, Term term) {
  A lanes[kNormLanes] = {};
  const int64_t whole = dim - dim % kNormLanes;
  for (int64_t i = 0; i < whole; i += kNormLanes) {
    for (int64_t j = 0; j < kNormLanes; ++j) lanes[j] += term(i + j);
  }
  double sum = 0;
  for (const A lane : lanes) sum += lane;
  for (int64_t i = whole; i < dim; ++i) sum += term(i);
  return sum;
}

// out = x · r ⊙ weight. @returns r = 1 / √(mean(x²) + eps)
template <typename T>
Wide<T> normaliseRow(const T* x, const T* weight, T* __restrict out, int64_t dim, double eps) {
  using A = Wide<T>;
  const double squares = sumOf<A>(dim, [&](int64_t i) {
    const A value = x[i];
    return value * value;
  });
  const auto scale = static_cast<A>(1 / std::sqrt(squares / static_cast<double>(dim) + eps));
  for (int64_t i = 0; i < dim; ++i) {
    out[i] = static_cast<T>(static_cast<A>(x[i]) * scale * static_cast<A>(weight[i]));
  }
  return scale;
}

// scales: r of each row, or nullptr.
template <typename T>
void normaliseRows(const at::Tensor& x, const at::Tensor& weight, at::Tensor& out, Wide<T>* scales,
                   double eps) {
  const int64_t dim = weight.size(0);
  const T* from = x.const_data_ptr<T>();
  const T* factors = weight.const_data_ptr<T>();
  T* to = out.mutable_data_ptr<T>();
  at::parallel_for(0, x.numel() / dim, kNormGrain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const auto scale = normaliseRow(from + row * dim, factors, to + row * dim, dim, eps);
      if (scales != nullptr) scales[row] = scale;
    }
  });
}

// dx = r · (g ⊙ w) − x · r³ / dim · Σ g ⊙ w ⊙ x; the row's share of dw is g ⊙ x · r.
template <typename T>
void backwardRow(const T* g, const T* x, const T* weight, T scale, T* __restrict ofX,
                 T* __restrict ofWeight, int64_t dim) {
  const double dot = sumOf<T>(dim, [&](int64_t i) { return g[i] * weight[i] * x[i]; });
  const T pull = static_cast<T>(dot / static_cast<double>(dim)) * scale * scale * scale;
  for (int64_t i = 0; i < dim; ++i) ofX[i] = scale * g[i] * weight[i] - x[i] * pull;
  for (int64_t i = 0; i < dim; ++i) ofWeight[i] += g[i] * x[i] * scale;
}

template <typename T>
void backwardRows(const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight,
                  const at::Tensor& scales, at::Tensor& ofX, at::Tensor& shares) {
  const int64_t dim = weight.size(0), rows = scales.size(0);
  const T* g = grad.const_data_ptr<T>();
  const T* from = x.const_data_ptr<T>();
  const T* factors = weight.const_data_ptr<T>();
  const T* scale = scales.const_data_ptr<T>();
  T* toX = ofX.mutable_data_ptr<T>();
  T* toWeight = shares.mutable_data_ptr<T>();
  at::parallel_for(0, shares.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin * kNormChunk; row < std::min(end * kNormChunk, rows); ++row) {
      backwardRow(g + row * dim, from + row * dim, factors, scale[row], toX + row * dim,
                  toWeight + row / kNormChunk * dim, dim);
    }
  });
}

struct Normalisation : torch::autograd::Function<Normalisation> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, double eps) {
    auto out = at::empty(x.sizes(), x.options());
    auto scales = at::empty({x.numel() / weight.size(0)}, x.options());
    if (x.scalar_type() == at::kFloat) {
      normaliseRows<float>(x, weight, out, scales.mutable_data_ptr<float>(), eps);
    } else {
      normaliseRows<double>(x, weight, out, scales.mutable_data_ptr<double>(), eps);
    }
    context->save_for_backward({x, weight, scales});
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &scales = saved[2];
    const auto grad = gradients[0].contiguous();
    const int64_t chunks = (scales.size(0) + kNormChunk - 1) / kNormChunk;
    auto ofX = at::empty(x.sizes(), x.options());
    auto shares = at::zeros({chunks, weight.size(0)}, x.options());
    if (x.scalar_type() == at::kFloat) backwardRows<float>(grad, x, weight, scales, ofX, shares);
    else backwardRows<double>(grad, x, weight, scales, ofX, shares);
    return {ofX, context->needs_input_grad(1) ? shares.sum(0) : at::Tensor(), at::Tensor()};
  }
};

at::Tensor rmsNormRows(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const auto dtype = x.scalar_type();
  const bool isRecorded =
      at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad());
  const bool isKnown =
      dtype == at::kFloat || dtype == at::kDouble || (dtype == at::kBFloat16 && !isRecorded);
  const bool isOurs = isKnown && x.is_cpu() && weight.is_cpu() && weight.scalar_type() == dtype &&
                      weight.is_contiguous() && weight.dim() == 1 && x.dim() > 0 &&
                      x.size(-1) == weight.size(0) && x.numel() > 0;
  if (!isOurs) return at::rms_norm(x, weight.sizes(), weight, eps);
  const auto rows = x.contiguous();
  if (isRecorded) return Normalisation::apply(rows, weight, eps);
  auto out = at::empty(rows.sizes(), rows.options());
  if (dtype == at::kFloat) normaliseRows<float>(rows, weight, out, nullptr, eps);
  else if (dtype == at::kDouble) normaliseRows<double>(rows, weight, out, nullptr, eps);
  else normaliseRows<at::BFloat16>(rows, weight, out, nullptr, eps);
  return out;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(onevision, library) {
  library.def("rms_norm(Tensor x, Tensor weight, float eps) -> Tensor", rmsNormRows);
}

}  // namespace onevision
