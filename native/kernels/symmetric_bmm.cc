// onevision::symmetric_bmm: alpha · a b + beta · added for stacks of matrices whose product is known to be
// symmetric, so that half of it is computed. float32 on the processor, without a graph, in AVX2 registers;
// a batched product of ATen's elsewhere. Shapes: a [matrices, rows, depth], b [matrices, depth, rows];
// added and the result [matrices, rows, rows].
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "kernels/few_rows.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define ONEVISION_SYMMETRIC_AVX2 __attribute__((target("avx2,fma")))
#define ONEVISION_SYMMETRIC_UNROLL _Pragma("GCC unroll 6")
#endif

namespace onevision {

namespace {

using OptionalTensor = std::optional<at::Tensor>;

at::Tensor wholeProduct(const at::Tensor& a, const at::Tensor& b, const OptionalTensor& added,
                        double alpha, double beta) {
  if (added.has_value()) return at::baddbmm(*added, a, b, beta, alpha);
  return at::bmm(a, b).mul_(alpha);
}

#if defined(__x86_64__)

constexpr int64_t kWidth = 8;
// A tile: kTall rows × kPanel columns of sums stay in registers.
constexpr int64_t kTall = 6;
constexpr int64_t kPanel = 2 * kWidth;

struct Product {
  const float* a;
  const float* b;
  const float* added;  // or nullptr
  float* out;
  int64_t rows, depth;
  float alpha, beta;
};

// T rows of a panel of b, [depth, kPanel], whose columns begin at `column`.
template <int T>
ONEVISION_SYMMETRIC_AVX2 void tile(const Product& p, const float* panel, int64_t row, int64_t column) {
  const float* factors = p.a + row * p.depth;
  __m256 sums[T][2];
  ONEVISION_SYMMETRIC_UNROLL for (int t = 0; t < T; ++t) sums[t][0] = sums[t][1] = _mm256_setzero_ps();
  for (int64_t k = 0; k < p.depth; ++k) {
    const auto first = _mm256_loadu_ps(panel + k * kPanel);
    const auto second = _mm256_loadu_ps(panel + k * kPanel + kWidth);
    ONEVISION_SYMMETRIC_UNROLL for (int t = 0; t < T; ++t) {
      const auto factor = _mm256_broadcast_ss(factors + t * p.depth + k);
      sums[t][0] = _mm256_fmadd_ps(factor, first, sums[t][0]);
      sums[t][1] = _mm256_fmadd_ps(factor, second, sums[t][1]);
    }
  }
  const auto alpha = _mm256_set1_ps(p.alpha), beta = _mm256_set1_ps(p.beta);
  ONEVISION_SYMMETRIC_UNROLL for (int t = 0; t < T; ++t) {
    ONEVISION_SYMMETRIC_UNROLL for (int half = 0; half < 2; ++half) {
      const int64_t at = (row + t) * p.rows + column + half * kWidth;
      auto sum = _mm256_mul_ps(alpha, sums[t][half]);
      if (p.added != nullptr) sum = _mm256_fmadd_ps(beta, _mm256_loadu_ps(p.added + at), sum);
      _mm256_storeu_ps(p.out + at, sum);
    }
  }
}

// The columns from `column` on, from the diagonal down: the lower triangle and a little more. The last
// panel begins where it ends with the matrix.
void lowerPanel(const Product& p, int64_t column, float* panel) {
  column = std::min(column, p.rows - kPanel);
  for (int64_t k = 0; k < p.depth; ++k) {
    std::copy_n(p.b + k * p.rows + column, kPanel, panel + k * kPanel);
  }
  int64_t row = column;
  for (; row + kTall <= p.rows; row += kTall) tile<kTall>(p, panel, row, column);
  for (; row + 2 <= p.rows; row += 2) tile<2>(p, panel, row, column);
  if (row < p.rows) tile<1>(p, panel, row, column);
}

// The upper triangle from the lower one, block by block.
void mirror(float* matrix, int64_t rows) {
  for (int64_t top = 0; top < rows; top += kWidth) {
    for (int64_t left = 0; left <= top; left += kWidth) {
      for (int64_t i = top; i < std::min(top + kWidth, rows); ++i) {
        for (int64_t j = left; j < std::min(left + kWidth, i); ++j) {
          matrix[j * rows + i] = matrix[i * rows + j];
        }
      }
    }
  }
}

// For each matrix of a stack; long and short panels take turns, so threads end together.
void lowerTriangles(const Product& first, int64_t matrices) {
  const int64_t panels = (first.rows + kPanel - 1) / kPanel;
  const int64_t square = first.rows * first.rows;
  at::parallel_for(0, matrices * panels, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> panel(first.depth * kPanel);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t matrix = task / panels;
      const int64_t turn = task % panels;
      Product p = first;
      p.a += matrix * p.rows * p.depth;
      p.b += matrix * p.rows * p.depth;
      p.out += matrix * square;
      if (p.added != nullptr) p.added += matrix * square;
      lowerPanel(p, kPanel * (turn % 2 == 0 ? turn / 2 : panels - 1 - turn / 2), panel.data());
    }
  });
  at::parallel_for(0, matrices, 1, [&](int64_t begin, int64_t end) {
    for (int64_t matrix = begin; matrix < end; ++matrix) mirror(first.out + matrix * square, first.rows);
  });
}

bool isPlain(const at::Tensor& x, at::IntArrayRef shape) {
  return x.is_cpu() && x.scalar_type() == at::kFloat && x.sizes() == shape && x.is_contiguous() &&
         !(at::GradMode::is_enabled() && x.requires_grad());
}

at::Tensor symmetricBmm(const at::Tensor& a, const at::Tensor& b, const OptionalTensor& added,
                        double alpha, double beta) {
  TORCH_CHECK(a.dim() == 3, "expected a stack of matrices, came ", a.sizes());
  const int64_t matrices = a.size(0), rows = a.size(1), depth = a.size(2);
  const bool isOurs = rows >= kPanel && isPlain(a, a.sizes()) && isPlain(b, {matrices, depth, rows}) &&
                      (!added.has_value() || isPlain(*added, {matrices, rows, rows})) &&
                      hasFewRowsKernel() &&
                      !__builtin_cpu_supports("avx512f");  // ATen's products are twice as wide
  if (!isOurs) return wholeProduct(a, b, added, alpha, beta);
  auto out = at::empty({matrices, rows, rows}, a.options());
  lowerTriangles({a.const_data_ptr<float>(), b.const_data_ptr<float>(),
                  added.has_value() ? added->const_data_ptr<float>() : nullptr,
                  out.mutable_data_ptr<float>(), rows, depth, static_cast<float>(alpha),
                  static_cast<float>(beta)},
                 matrices);
  return out;
}

#else

at::Tensor symmetricBmm(const at::Tensor& a, const at::Tensor& b, const OptionalTensor& added,
                        double alpha, double beta) {
  return wholeProduct(a, b, added, alpha, beta);
}

#endif

}  // namespace

TORCH_LIBRARY_FRAGMENT(onevision, library) {
  library.def(
      "symmetric_bmm(Tensor a, Tensor b, Tensor? added=None, *, float alpha=1, float beta=1) -> Tensor",
      symmetricBmm);
}

}  // namespace onevision
