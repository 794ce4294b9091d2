// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/packet.hpp>
#include <elegans/core/types.hpp>

namespace elegans::detail {

/// Reads values of a table, each lane another: lane k of `gather(index)` is table[index[k]].
template <typename Scalar, int Lanes>
class Table {
 public:
  Table(const Scalar* values, Eigen::Index) : values_(values) {}

  [[nodiscard]] EIGEN_STRONG_INLINE Packet<Scalar, Lanes> gather(const int* index) const {
    Scalar values[Lanes];
    for (int k = 0; k < Lanes; ++k) values[k] = values_[index[k]];
    return load<Packet<Scalar, Lanes>>(values);
  }

 private:
  const Scalar* values_;
};

#ifdef EIGEN_VECTORIZE_AVX512
/// Up to 64 values stay in four registers, from which any lane is had by two shuffles: a gather from memory takes as
/// long as three sigmoids.
template <>
class Table<float, 16> {
 public:
  Table(const float* values, Eigen::Index count) : values_(values), in_registers_(count <= 64) {
    for (int k = 0; in_registers_ && k < 4; ++k) {
      const Eigen::Index left = count - 16 * k;
      const unsigned mask = left >= 16 ? 0xffffU : left > 0 ? (1U << left) - 1U : 0U;
      part_[k] = _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), values + 16 * k);
    }
  }

  [[nodiscard]] EIGEN_STRONG_INLINE Eigen::internal::Packet16f gather(const int* index) const {
    const __m512i lanes = _mm512_loadu_si512(index);
    if (!in_registers_) return _mm512_i32gather_ps(lanes, values_, 4);
    const auto low = _mm512_permutex2var_ps(part_[0], lanes, part_[1]);
    const auto high = _mm512_permutex2var_ps(part_[2], lanes, part_[3]);
    return _mm512_mask_blend_ps(_mm512_test_epi32_mask(lanes, _mm512_set1_epi32(32)), low, high);
  }

 private:
  const float* values_;
  bool in_registers_;
  Eigen::internal::Packet16f part_[4];
};
#endif

}  // namespace elegans::detail
