// onevision::newton_schulz: one step X ← aX + (bA + cA²)X with A = XXᵀ, for a stack of matrices. A and
// A² are symmetric, so half of each is computed. float32 on the processor, without a graph, in AVX2
// registers; batched products of ATen's elsewhere. Shapes: x [matrices, rows, columns].
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <vector>

#include "kernels/few_rows.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define ONEVISION_NS_AVX2 __attribute__((target("avx2,fma")))
#define ONEVISION_NS_UNROLL _Pragma("GCC unroll 6")
#endif

namespace onevision {

namespace {

at::Tensor batchedStep(const at::Tensor& x, double a, double b, double c) {
  const auto gram = at::bmm(x, x.transpose(1, 2));
  return at::baddbmm(x, at::baddbmm(gram, gram, gram, b, c), x, a);
}

#if defined(__x86_64__)

constexpr int64_t kWidth = 8;
// A tile of the symmetric products: kDown rows × kAcross columns of sums stay in registers.
constexpr int64_t kDown = 3;
constexpr int64_t kAcross = 4;
// A tile of the last product: kTall rows × kPanel columns.
constexpr int64_t kTall = 6;
constexpr int64_t kPanel = 2 * kWidth;

ONEVISION_NS_AVX2 inline __m256i firstLanes(int64_t count) {
  const auto lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
}

ONEVISION_NS_AVX2 inline __m128 sumsOf(const __m256 (&lanes)[kAcross]) {
  const auto pairs = _mm256_hadd_ps(_mm256_hadd_ps(lanes[0], lanes[1]),
                                    _mm256_hadd_ps(lanes[2], lanes[3]));
  return _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1));
}

// out = alpha · x xᵀ + beta · added, [rows, rows]; x [rows, depth].
struct Symmetric {
  const float* x;
  const float* added;  // or nullptr
  float* out;
  int64_t rows, depth;
  float alpha, beta;
};

template <int D>
ONEVISION_NS_AVX2 void symmetricTile(const Symmetric& s, int64_t row, int64_t column) {
  const float* down = s.x + row * s.depth;
  const float* across = s.x + column * s.depth;
  __m256 sums[D][kAcross];
  ONEVISION_NS_UNROLL for (int d = 0; d < D; ++d) {
    ONEVISION_NS_UNROLL for (int n = 0; n < kAcross; ++n) sums[d][n] = _mm256_setzero_ps();
  }
  const int64_t whole = s.depth - s.depth % kWidth;
  for (int64_t k = 0; k < whole; k += kWidth) {
    __m256 left[D];
    ONEVISION_NS_UNROLL for (int d = 0; d < D; ++d) left[d] = _mm256_loadu_ps(down + d * s.depth + k);
    ONEVISION_NS_UNROLL for (int n = 0; n < kAcross; ++n) {
      const auto right = _mm256_loadu_ps(across + n * s.depth + k);
      ONEVISION_NS_UNROLL for (int d = 0; d < D; ++d) {
        sums[d][n] = _mm256_fmadd_ps(left[d], right, sums[d][n]);
      }
    }
  }
  if (whole < s.depth) {
    const auto mask = firstLanes(s.depth - whole);
    ONEVISION_NS_UNROLL for (int n = 0; n < kAcross; ++n) {
      const auto right = _mm256_maskload_ps(across + n * s.depth + whole, mask);
      ONEVISION_NS_UNROLL for (int d = 0; d < D; ++d) {
        const auto left = _mm256_maskload_ps(down + d * s.depth + whole, mask);
        sums[d][n] = _mm256_fmadd_ps(left, right, sums[d][n]);
      }
    }
  }
  ONEVISION_NS_UNROLL for (int d = 0; d < D; ++d) {
    const int64_t at = (row + d) * s.rows + column;
    auto sum = _mm_mul_ps(_mm_set1_ps(s.alpha), sumsOf(sums[d]));
    if (s.added != nullptr) {
      sum = _mm_add_ps(sum, _mm_mul_ps(_mm_set1_ps(s.beta), _mm_loadu_ps(s.added + at)));
    }
    _mm_storeu_ps(s.out + at, sum);
  }
}

// Columns 0 … row + D − 1 of D rows: the lower triangle and a little more.
template <int D>
void symmetricRows(const Symmetric& s, int64_t row) {
  for (int64_t column = 0; column < row + D; column += kAcross) {
    symmetricTile<D>(s, row, std::min(column, s.rows - kAcross));
  }
}

void symmetricBand(const Symmetric& s, int64_t row) {
  if (row + kDown <= s.rows) return symmetricRows<kDown>(s, row);
  for (; row < s.rows; ++row) symmetricRows<1>(s, row);
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

// For each matrix of a stack; bands of few and of many columns take turns, so threads end together.
void symmetricProducts(const Symmetric& first, int64_t matrices) {
  const int64_t bands = (first.rows + kDown - 1) / kDown;
  const int64_t square = first.rows * first.rows;
  at::parallel_for(0, matrices * bands, 8, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t matrix = task / bands;
      const int64_t turn = task % bands;
      Symmetric s = first;
      s.x += matrix * s.rows * s.depth;
      s.out += matrix * square;
      if (s.added != nullptr) s.added += matrix * square;
      symmetricBand(s, kDown * (turn % 2 == 0 ? turn / 2 : bands - 1 - turn / 2));
    }
  });
  at::parallel_for(0, matrices, 1, [&](int64_t begin, int64_t end) {
    for (int64_t matrix = begin; matrix < end; ++matrix) mirror(first.out + matrix * square, first.rows);
  });
}

// out = a · x + polynomial x; x and out [rows, columns], polynomial [rows, rows].
struct Product {
  const float* polynomial;
  const float* x;
  float* out;
  int64_t rows, columns;
  float a;
};

// T rows of a panel: `width` of its columns are of x, which lie at `column`.
template <int T>
ONEVISION_NS_AVX2 void productTile(const Product& p, const float* panel, int64_t row, int64_t column,
                                   int64_t width) {
  const float* factors = p.polynomial + row * p.rows;
  __m256 sums[T][2];
  ONEVISION_NS_UNROLL for (int t = 0; t < T; ++t) sums[t][0] = sums[t][1] = _mm256_setzero_ps();
  for (int64_t k = 0; k < p.rows; ++k) {
    const auto first = _mm256_loadu_ps(panel + k * kPanel);
    const auto second = _mm256_loadu_ps(panel + k * kPanel + kWidth);
    ONEVISION_NS_UNROLL for (int t = 0; t < T; ++t) {
      const auto factor = _mm256_broadcast_ss(factors + t * p.rows + k);
      sums[t][0] = _mm256_fmadd_ps(factor, first, sums[t][0]);
      sums[t][1] = _mm256_fmadd_ps(factor, second, sums[t][1]);
    }
  }
  const auto a = _mm256_set1_ps(p.a);
  ONEVISION_NS_UNROLL for (int t = 0; t < T; ++t) {
    const float* own = panel + (row + t) * kPanel;
    float* to = p.out + (row + t) * p.columns + column;
    const auto first = _mm256_fmadd_ps(a, _mm256_loadu_ps(own), sums[t][0]);
    const auto second = _mm256_fmadd_ps(a, _mm256_loadu_ps(own + kWidth), sums[t][1]);
    _mm256_maskstore_ps(to, firstLanes(width), first);
    if (width > kWidth) _mm256_maskstore_ps(to + kWidth, firstLanes(width - kWidth), second);
  }
}

void productPanel(const Product& p, int64_t column, std::vector<float>& panel) {
  const int64_t width = std::min(kPanel, p.columns - column);
  panel.assign(kPanel * p.rows, 0);
  for (int64_t k = 0; k < p.rows; ++k) {
    const float* from = p.x + k * p.columns + column;
    std::copy(from, from + width, panel.data() + k * kPanel);
  }
  int64_t row = 0;
  for (; row + kTall <= p.rows; row += kTall) {
    productTile<kTall>(p, panel.data(), row, column, width);
  }
  for (; row + 2 <= p.rows; row += 2) productTile<2>(p, panel.data(), row, column, width);
  if (row < p.rows) productTile<1>(p, panel.data(), row, column, width);
}

void products(const Product& first, int64_t matrices) {
  const int64_t panels = (first.columns + kPanel - 1) / kPanel;
  at::parallel_for(0, matrices * panels, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> panel;
    for (int64_t task = begin; task < end; ++task) {
      const int64_t matrix = task / panels;
      Product p = first;
      p.polynomial += matrix * p.rows * p.rows;
      p.x += matrix * p.rows * p.columns;
      p.out += matrix * p.rows * p.columns;
      productPanel(p, task % panels * kPanel, panel);
    }
  });
}

at::Tensor symmetricStep(const at::Tensor& x, float a, float b, float c) {
  const int64_t matrices = x.size(0), rows = x.size(1), columns = x.size(2);
  const auto gram = at::empty({matrices, rows, rows}, x.options());
  const auto polynomial = at::empty({matrices, rows, rows}, x.options());
  auto out = at::empty({matrices, rows, columns}, x.options());
  auto* grams = gram.mutable_data_ptr<float>();
  auto* polynomials = polynomial.mutable_data_ptr<float>();
  const auto* from = x.const_data_ptr<float>();
  symmetricProducts({from, nullptr, grams, rows, columns, 1, 0}, matrices);
  symmetricProducts({grams, grams, polynomials, rows, rows, c, b}, matrices);
  products({polynomials, from, out.mutable_data_ptr<float>(), rows, columns, a}, matrices);
  return out;
}

at::Tensor newtonSchulz(const at::Tensor& x, double a, double b, double c) {
  const bool isOurs = x.is_cpu() && x.scalar_type() == at::kFloat && x.dim() == 3 &&
                      x.size(0) > 0 && x.size(1) >= kAcross && x.size(2) > 0 &&
                      !(at::GradMode::is_enabled() && x.requires_grad()) && hasFewRowsKernel() &&
                      !__builtin_cpu_supports("avx512f");  // its products are twice as wide
  if (!isOurs) return batchedStep(x, a, b, c);
  return symmetricStep(x.contiguous(), static_cast<float>(a), static_cast<float>(b),
                       static_cast<float>(c));
}

#else

at::Tensor newtonSchulz(const at::Tensor& x, double a, double b, double c) {
  return batchedStep(x, a, b, c);
}

#endif

}  // namespace

TORCH_LIBRARY_FRAGMENT(onevision, library) {
  library.def("newton_schulz(Tensor x, float a, float b, float c) -> Tensor", newtonSchulz);
}

}  // namespace onevision
