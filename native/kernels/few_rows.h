// y = x Wᵀ for a handful of rows of x: each weight is read once for up to four rows and widened to
// float32 in a register. For processors with AVX2 and FMA; others are told by hasFewRowsKernel().
#pragma once

#include <cstdint>
#include <vector>

namespace onevision {

// Whether this processor runs the kernels below.
bool hasFewRowsKernel();
// Whether it multiplies bfloat16 by itself, so that oneDNN's products are fast.
bool hasBfloat16Products();

// W: float, uint16_t (the bits of a bfloat16) or int8_t. Rows of x and W lie end to end.
template <typename W>
struct FewRows {
  const float* x;
  const float* packed;  // what `pack` made of x
  const W* weight;
  const float* scale;  // [out] or nullptr
  const float* bias;   // [out] or nullptr
  float* out;
  int64_t rows;
  int64_t numIn;
  int64_t numOut;

  // x in the order in which the kernel reads it: chunks of up to four rows side by side.
  static std::vector<float> pack(const float* x, int64_t rows, int64_t numIn);

  // Outputs begin ≤ o < end, for all rows.
  void run(int64_t begin, int64_t end) const;
};

}  // namespace onevision
