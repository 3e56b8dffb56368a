// onevision::rope: rotary embedding in the half-split form, y = x ⊙ cos + rot(x) ⊙ sin where rot swaps
// the halves of each head; the minus sign sits in the table. One pass with a backward of its own on the
// processor, four operators of ATen's elsewhere.
// Shapes: x [rows, heads, dim] (rows and heads with any stride); cos, sin [rows, 1, dim].
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <vector>

namespace onevision {

namespace {

constexpr int64_t kRopeGrain = 32;

struct RopeShape {
  int64_t rows, heads, dim;
};

RopeShape shapeOf(const at::Tensor& x) { return {x.size(0), x.size(1), x.size(2)}; }

// Calls run(begin, end) on ranges of rows.
template <typename Run>
void forRows(int64_t rows, Run run) {
  at::parallel_for(0, rows, kRopeGrain, run);
}

// to = from ⊙ cos + rot(from) ⊙ sin; backward: rot(from ⊙ sin) in the place of rot(from) ⊙ sin.
// T: elements of x, A: of the tables, in which it is computed.
template <typename T, typename A>
void rotateHead(const T* from, const A* cos, const A* sin, T* __restrict to, int64_t half,
                bool isBackward) {
  const A* sinFirst = isBackward ? sin + half : sin;
  const A* sinSecond = isBackward ? sin : sin + half;
  for (int64_t i = 0; i < half; ++i) {
    const A first = from[i], second = from[i + half];
    to[i] = static_cast<T>(first * cos[i] + second * sinFirst[i]);
    to[i + half] = static_cast<T>(second * cos[i + half] + first * sinSecond[i]);
  }
}

template <typename T, typename A>
void rotateRows(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin, at::Tensor& out,
                bool isBackward) {
  const auto [rows, heads, dim] = shapeOf(x);
  const T* from = x.const_data_ptr<T>();
  T* to = out.mutable_data_ptr<T>();
  const A* cosines = cos.const_data_ptr<A>();
  const A* sines = sin.const_data_ptr<A>();
  const int64_t rowStride = x.stride(0), headStride = x.stride(1);
  forRows(rows, [&, heads = heads, dim = dim](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t head = 0; head < heads; ++head) {
        rotateHead(from + row * rowStride + head * headStride, cosines + row * dim, sines + row * dim,
                   to + (row * heads + head) * dim, dim / 2, isBackward);
      }
    }
  });
}

// Gradients of the tables: Σ over heads of g ⊙ x and of g ⊙ rot(x).
template <typename T, typename A>
void tableGradients(const at::Tensor& grad, const at::Tensor& x, at::Tensor& cos, at::Tensor& sin) {
  const auto [rows, heads, dim] = shapeOf(x);
  const T* g = grad.const_data_ptr<T>();
  const T* from = x.const_data_ptr<T>();
  A* toCos = cos.mutable_data_ptr<A>();
  A* toSin = sin.mutable_data_ptr<A>();
  const int64_t rowStride = x.stride(0), headStride = x.stride(1);
  forRows(rows, [&, heads = heads, dim = dim](int64_t begin, int64_t end) {
    const int64_t half = dim / 2;
    for (int64_t row = begin; row < end; ++row) {
      A* __restrict ofCos = toCos + row * dim;
      A* __restrict ofSin = toSin + row * dim;
      for (int64_t head = 0; head < heads; ++head) {
        const T* values = from + row * rowStride + head * headStride;
        const T* gradients = g + (row * heads + head) * dim;
        for (int64_t i = 0; i < dim; ++i) {
          ofCos[i] += static_cast<A>(gradients[i]) * static_cast<A>(values[i]);
        }
        for (int64_t i = 0; i < half; ++i) {
          ofSin[i] += static_cast<A>(gradients[i]) * static_cast<A>(values[i + half]);
          ofSin[i + half] += static_cast<A>(gradients[i + half]) * static_cast<A>(values[i]);
        }
      }
    }
  });
}

// Calls run(T(), A()) with the types of x and its tables.
template <typename Run>
void withTypes(const at::Tensor& x, Run run) {
  if (x.scalar_type() == at::kFloat) run(float(), float());
  else if (x.scalar_type() == at::kDouble) run(double(), double());
  else run(at::BFloat16(), float());
}

at::Tensor rotated(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin,
                   bool isBackward) {
  auto out = at::empty(x.sizes(), x.options());
  withTypes(x, [&]<typename T, typename A>(T, A) { rotateRows<T, A>(x, cos, sin, out, isBackward); });
  return out;
}

struct Rotation : torch::autograd::Function<Rotation> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& cos, const at::Tensor& sin) {
    const bool isLearned = cos.requires_grad() || sin.requires_grad();
    context->save_for_backward({isLearned ? x : at::Tensor(), cos, sin});
    return rotated(x, cos, sin, false);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto& [x, cos, sin] = std::tie(saved[0], saved[1], saved[2]);
    const auto grad = gradients[0].contiguous();
    at::Tensor ofX, ofCos, ofSin;
    if (context->needs_input_grad(0)) ofX = rotated(grad, cos, sin, true);
    if (context->needs_input_grad(1) || context->needs_input_grad(2)) {
      ofCos = at::zeros(cos.sizes(), cos.options());
      ofSin = at::zeros(sin.sizes(), sin.options());
      withTypes(x, [&]<typename T, typename A>(T, A) { tableGradients<T, A>(grad, x, ofCos, ofSin); });
    }
    return {ofX, ofCos, ofSin};
  }
};

bool isOurs(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  const auto dtype = x.scalar_type();
  const auto table = dtype == at::kBFloat16 ? at::kFloat : dtype;
  if (dtype != at::kFloat && dtype != at::kDouble && dtype != at::kBFloat16) return false;
  if (!x.is_cpu() || x.dim() != 3 || x.size(2) % 2 != 0 || x.stride(2) != 1) return false;
  const std::vector<int64_t> expected{x.size(0), 1, x.size(2)};
  for (const auto* angles : {&cos, &sin}) {
    if (!angles->is_cpu() || angles->scalar_type() != table || !angles->is_contiguous()) return false;
    if (angles->sizes() != expected) return false;
  }
  return true;
}

at::Tensor rope(const at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  if (!isOurs(x, cos, sin)) {
    const auto turned = at::roll(x, x.size(-1) / 2, -1);
    return at::addcmul(at::mul(x, cos), turned, sin).to(x.scalar_type());
  }
  const bool isRecorded = at::GradMode::is_enabled() &&
                          (x.requires_grad() || cos.requires_grad() || sin.requires_grad());
  return isRecorded ? Rotation::apply(x, cos, sin) : rotated(x, cos, sin, false);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(onevision, library) {
  library.def("rope(Tensor x, Tensor cos, Tensor sin) -> Tensor", rope);
}

}  // namespace onevision
