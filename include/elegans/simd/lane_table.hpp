// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

// A lane's value lies at another place of a table than its neighbours' do: to read from such places, and to add to
// them.

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

/// The most sums that `TableSums` has on any target.
inline constexpr int table_sums_capacity = 64;
/// The way of no lane's value to any of four sums, see `set_table_sum`.
inline constexpr int table_sums_none = 0x10101010;

/// Sends a lane's value to a sum, where no other lane's of the same packet goes: way k of 16 says, in byte m, which
/// lane goes to sum 16 m + k.
inline void set_table_sum(int* ways, int sum, int lane) {
  const unsigned place = static_cast<unsigned>(sum) / 16 * 8;
  int& way = ways[sum % 16];
  way = static_cast<int>((static_cast<unsigned>(way) & ~(0xffU << place)) | static_cast<unsigned>(lane) << place);
}

/// Adds each lane's value to a sum of a table, each lane to another, if the target can: `capacity` is 0 if not.
template <typename Scalar, int Lanes>
struct TableSums {
  static constexpr int capacity = 0;
};

#ifdef EIGEN_VECTORIZE_AVX512
/// All sums stay in four registers.
template <>
class TableSums<float, 16> {
 public:
  static constexpr int capacity = table_sums_capacity;

  TableSums() {
    for (auto& part : part_) part = _mm512_setzero_ps();
  }

  /// \param ways  16, as `set_table_sum` leaves them
  EIGEN_STRONG_INLINE void add(const int* ways, const Eigen::internal::Packet16f& values) {
    const __m512i all = _mm512_loadu_si512(ways);
    part_[0] = _mm512_add_ps(part_[0], take(values, all));
    part_[1] = _mm512_add_ps(part_[1], take(values, _mm512_srli_epi32(all, 8)));
    part_[2] = _mm512_add_ps(part_[2], take(values, _mm512_srli_epi32(all, 16)));
    part_[3] = _mm512_add_ps(part_[3], take(values, _mm512_srli_epi32(all, 24)));
  }

  /// Adds the sums, each times a factor, to a table of that many values.
  void add_products_to(float* values, Eigen::Index count, const Eigen::internal::Packet16f& factor) const {
    for (int k = 0; k < 4 && 16 * k < count; ++k) {
      const Eigen::Index left = count - 16 * k;
      const auto mask = static_cast<__mmask16>(left >= 16 ? 0xffffU : (1U << left) - 1U);
      const auto sum = _mm512_fmadd_ps(part_[k], factor, _mm512_maskz_loadu_ps(mask, values + 16 * k));
      _mm512_mask_storeu_ps(values + 16 * k, mask, sum);
    }
  }

 private:
  /// From each way the five lowest bits are read: 16 and more is a 0.
  static EIGEN_STRONG_INLINE __m512 take(const Eigen::internal::Packet16f& values, const __m512i& ways) {
    return _mm512_permutex2var_ps(values, ways, _mm512_setzero_ps());
  }

  Eigen::internal::Packet16f part_[4];
};
#endif

}  // namespace elegans::detail
