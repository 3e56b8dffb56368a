// The kernels of few_rows.h: blocks of up to four rows × four outputs in AVX2 registers.
#include "few_rows.h"

#include <algorithm>
#include <bit>

#if defined(__x86_64__)
#include <immintrin.h>
#define ONEVISION_AVX2 __attribute__((target("avx2,fma")))
// The sums of a block stay in registers only where its loops are unrolled.
#define ONEVISION_UNROLL _Pragma("GCC unroll 4")
#endif

namespace onevision {

#if defined(__x86_64__)

bool hasFewRowsKernel() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool hasBfloat16Products() { return __builtin_cpu_supports("avx512bf16"); }

namespace {

constexpr int64_t kLanes = 8;
constexpr int kRows = 4;
constexpr int kOutputs = 4;

inline float widen(float value) { return value; }
inline float widen(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
inline float widen(int8_t value) { return value; }

ONEVISION_AVX2 inline __m256 widen8(const float* from) { return _mm256_loadu_ps(from); }

ONEVISION_AVX2 inline __m256 widen8(const uint16_t* from) {
  const auto bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
}

ONEVISION_AVX2 inline __m256 widen8(const int8_t* from) {
  const auto bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes));
}

ONEVISION_AVX2 inline float sum8(__m256 lanes) {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

// R rows from `row`, N outputs from `output`.
template <typename W, int R, int N>
ONEVISION_AVX2 void block(const FewRows<W>& p, int64_t row, int64_t output) {
  const float* x = p.x + row * p.numIn;
  const W* weight = p.weight + output * p.numIn;
  const int64_t whole = p.numIn - p.numIn % kLanes;
  __m256 sums[R][N];
  ONEVISION_UNROLL for (int r = 0; r < R; ++r) {
    ONEVISION_UNROLL for (int n = 0; n < N; ++n) sums[r][n] = _mm256_setzero_ps();
  }
  for (int64_t i = 0; i < whole; i += kLanes) {
    __m256 w[N];
    ONEVISION_UNROLL for (int n = 0; n < N; ++n) w[n] = widen8(weight + n * p.numIn + i);
    ONEVISION_UNROLL for (int r = 0; r < R; ++r) {
      const __m256 values = _mm256_loadu_ps(x + r * p.numIn + i);
      ONEVISION_UNROLL for (int n = 0; n < N; ++n) {
        sums[r][n] = _mm256_fmadd_ps(values, w[n], sums[r][n]);
      }
    }
  }
  ONEVISION_UNROLL for (int r = 0; r < R; ++r) {
    ONEVISION_UNROLL for (int n = 0; n < N; ++n) {
      float sum = sum8(sums[r][n]);
      for (int64_t i = whole; i < p.numIn; ++i) {
        sum += x[r * p.numIn + i] * widen(weight[n * p.numIn + i]);
      }
      if (p.scale != nullptr) sum *= p.scale[output + n];
      if (p.bias != nullptr) sum += p.bias[output + n];
      p.out[(row + r) * p.numOut + output + n] = sum;
    }
  }
}

template <typename W, int N>
void rowsOf(const FewRows<W>& p, int64_t output) {
  for (int64_t row = 0; row < p.rows; row += kRows) {
    switch (std::min<int64_t>(kRows, p.rows - row)) {
      case 1: block<W, 1, N>(p, row, output); break;
      case 2: block<W, 2, N>(p, row, output); break;
      case 3: block<W, 3, N>(p, row, output); break;
      default: block<W, 4, N>(p, row, output);
    }
  }
}

}  // namespace

template <typename W>
void FewRows<W>::run(int64_t begin, int64_t end) const {
  int64_t output = begin;
  for (; output + kOutputs <= end; output += kOutputs) rowsOf<W, kOutputs>(*this, output);
  for (; output < end; ++output) rowsOf<W, 1>(*this, output);
}

#else

bool hasFewRowsKernel() { return false; }
bool hasBfloat16Products() { return false; }

template <typename W>
void FewRows<W>::run(int64_t, int64_t) const {}

#endif

template struct FewRows<float>;
template struct FewRows<uint16_t>;
template struct FewRows<int8_t>;

}  // namespace onevision
