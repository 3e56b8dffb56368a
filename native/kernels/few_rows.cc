// The kernels of few_rows.h: blocks of rows × outputs in AVX2 registers, weights in long streams.
#include "kernels/few_rows.h"

#include <algorithm>
#include <bit>
#include <type_traits>

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
// Elements of a row that are widened together.
constexpr int64_t kChunk = 2 * kLanes;
constexpr int kRows = 4;

inline float widen(float value) { return value; }
inline float widen(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
inline float widen(int8_t value) { return value; }

// A chunk as two registers: the first and the last eight elements, or the even and the odd ones.
struct Chunk {
  __m256 first, second;
};

ONEVISION_AVX2 inline Chunk widen16(const float* from) {
  return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + kLanes)};
}

// A bfloat16 is the upper half of a float32: odd elements need a mask, even ones a shift.
ONEVISION_AVX2 inline Chunk widen16(const uint16_t* from) {
  const auto bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  const auto upper = _mm256_set1_epi32(static_cast<int32_t>(0xffff0000));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(bits, 16)),
          _mm256_castsi256_ps(_mm256_and_si256(bits, upper))};
}

ONEVISION_AVX2 inline Chunk widen16(const int8_t* from) {
  const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const auto last = _mm_unpackhi_epi64(bytes, bytes);
  return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)),
          _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(last))};
}

ONEVISION_AVX2 inline float sum8(__m256 lanes) {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

// R rows from `row`; outputs output, output + apart, …: N of them.
template <typename W, int R, int N>
ONEVISION_AVX2 void block(const FewRows<W>& p, int64_t row, int64_t output, int64_t apart) {
  const int64_t whole = p.numIn - p.numIn % kChunk;
  const float* x = p.packed + row * whole;
  const W* weight = p.weight + output * p.numIn;
  __m256 sums[R][N];
  ONEVISION_UNROLL for (int r = 0; r < R; ++r) {
    ONEVISION_UNROLL for (int n = 0; n < N; ++n) sums[r][n] = _mm256_setzero_ps();
  }
  for (int64_t i = 0; i < whole; i += kChunk, x += R * kChunk) {
    ONEVISION_UNROLL for (int n = 0; n < N; ++n) {
      const Chunk w = widen16(weight + n * apart * p.numIn + i);
      ONEVISION_UNROLL for (int r = 0; r < R; ++r) {
        sums[r][n] = _mm256_fmadd_ps(w.first, _mm256_loadu_ps(x + r * kChunk), sums[r][n]);
      }
      ONEVISION_UNROLL for (int r = 0; r < R; ++r) {
        sums[r][n] = _mm256_fmadd_ps(w.second, _mm256_loadu_ps(x + r * kChunk + kLanes), sums[r][n]);
      }
    }
  }
  ONEVISION_UNROLL for (int r = 0; r < R; ++r) {
    ONEVISION_UNROLL for (int n = 0; n < N; ++n) {
      const int64_t o = output + n * apart;
      float sum = sum8(sums[r][n]);
      for (int64_t i = whole; i < p.numIn; ++i) {
        sum += p.x[(row + r) * p.numIn + i] * widen(p.weight[o * p.numIn + i]);
      }
      if (p.scale != nullptr) sum *= p.scale[o];
      if (p.bias != nullptr) sum += p.bias[o];
      p.out[(row + r) * p.numOut + o] = sum;
    }
  }
}

template <typename W, int N>
void rowsOf(const FewRows<W>& p, int64_t output, int64_t apart) {
  for (int64_t row = 0; row < p.rows; row += kRows) {
    switch (std::min<int64_t>(kRows, p.rows - row)) {
      case 1: block<W, 1, N>(p, row, output, apart); break;
      case 2: block<W, 2, N>(p, row, output, apart); break;
      case 3: block<W, 3, N>(p, row, output, apart); break;
      default: block<W, 4, N>(p, row, output, apart);
    }
  }
}

// N streams of weights side by side, each of rows that follow one another in memory: the processor
// fetches ahead along each of them, which it does not do within blocks of N neighbouring rows.
template <typename W, int N>
void streams(const FewRows<W>& p, int64_t begin, int64_t end) {
  const int64_t apart = (end - begin) / N;
  for (int64_t i = 0; i < apart; ++i) rowsOf<W, N>(p, begin + i, apart);
  for (int64_t output = begin + N * apart; output < end; ++output) rowsOf<W, 1>(p, output, 0);
}

}  // namespace

template <typename W>
std::vector<float> FewRows<W>::pack(const float* x, int64_t rows, int64_t numIn) {
  const int64_t whole = numIn - numIn % kChunk;
  std::vector<float> packed(rows * whole);
  float* to = packed.data();
  for (int64_t row = 0; row < rows; row += kRows) {
    const int64_t end = std::min<int64_t>(rows, row + kRows);
    for (int64_t i = 0; i < whole; i += kChunk) {
      for (int64_t r = row; r < end; ++r, to += kChunk) {
        const float* from = x + r * numIn + i;
        if constexpr (std::is_same_v<W, uint16_t>) {
          for (int64_t j = 0; j < kLanes; ++j) to[j] = from[2 * j];
          for (int64_t j = 0; j < kLanes; ++j) to[kLanes + j] = from[2 * j + 1];
        } else {
          std::copy(from, from + kChunk, to);
        }
      }
    }
  }
  return packed;
}

// As many sums as registers hold: 3 × 4 or 4 × 3.
template <typename W>
void FewRows<W>::run(int64_t begin, int64_t end) const {
  if (rows < kRows) streams<W, 4>(*this, begin, end);
  else streams<W, 3>(*this, begin, end);
}

#else

bool hasFewRowsKernel() { return false; }
bool hasBfloat16Products() { return false; }

template <typename W>
std::vector<float> FewRows<W>::pack(const float*, int64_t, int64_t) { return {}; }

template <typename W>
void FewRows<W>::run(int64_t, int64_t) const {}

#endif

template struct FewRows<float>;
template struct FewRows<uint16_t>;
template struct FewRows<int8_t>;

}  // namespace onevision
