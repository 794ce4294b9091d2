// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/simd/packet.hpp>

// Operations that need AVX-512. On other targets, this header only says that they are missing.

namespace elegans::detail::avx512 {

/// True if `fraction` and `times_exp2` are defined.
#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512DQ__) && defined(__AVX512VL__)
inline constexpr bool has_exp2 = true;
#else
inline constexpr bool has_exp2 = false;
#endif
/// s minus its nearest integer, for any s.
template <int Lanes>
EIGEN_ALWAYS_INLINE Packet<float, Lanes> fraction(const Packet<float, Lanes>& s);
/// x 2^n for a whole number n, for any n.
template <int Lanes>
EIGEN_ALWAYS_INLINE Packet<float, Lanes> times_exp2(const Packet<float, Lanes>& x, const Packet<float, Lanes>& n);

#ifdef EIGEN_VECTORIZE_AVX512
/// Masks nothing. Without a mask, g++ 12 warns about its own header that a value is not initialized (GCC bug 105593).
inline constexpr __mmask16 all_lanes = 0xffff;
#endif

#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512DQ__) && defined(__AVX512VL__)
template <int Lanes>
EIGEN_ALWAYS_INLINE Packet<float, Lanes> fraction(const Packet<float, Lanes>& s) {
  using P = Packet<float, Lanes>;
  if constexpr (Lanes == 16) return P::from_native(_mm512_maskz_reduce_ps(all_lanes, s.native, _MM_FROUND_NO_EXC));
  if constexpr (Lanes == 8) return P::from_native(_mm256_reduce_ps(s.native, _MM_FROUND_NO_EXC));
  if constexpr (Lanes == 4) return P::from_native(_mm_reduce_ps(s.native, _MM_FROUND_NO_EXC));
}
template <int Lanes>
EIGEN_ALWAYS_INLINE Packet<float, Lanes> times_exp2(const Packet<float, Lanes>& x, const Packet<float, Lanes>& n) {
  using P = Packet<float, Lanes>;
  if constexpr (Lanes == 16) return P::from_native(_mm512_maskz_scalef_ps(all_lanes, x.native, n.native));
  if constexpr (Lanes == 8) return P::from_native(_mm256_scalef_ps(x.native, n.native));
  if constexpr (Lanes == 4) return P::from_native(_mm_scalef_ps(x.native, n.native));
}
#endif

#ifdef EIGEN_VECTORIZE_AVX512
/// The lanes of the k-th packet of a table that hold one of its `count` values.
inline __mmask16 lanes_of_part(Index count, int k) {
  const Index left = count - 16 * k;
  return static_cast<__mmask16>(left >= 16 ? 0xffffU : left > 0 ? (1U << left) - 1U : 0U);
}

/// A table of floats: see `LaneTable`. Up to 64 floats stay in four registers, from which two shuffles look up any 16.
/// A gather from memory would take as long as three sigmoids.
class FloatTable {
 public:
  FloatTable(const float* values, Index count) : values_(values), in_registers_(count <= 64) {
    for (int k = 0; in_registers_ && k < 4; ++k) {
      part_[k] = _mm512_maskz_loadu_ps(lanes_of_part(count, k), values + 16 * k);
    }
  }

  [[nodiscard]] EIGEN_ALWAYS_INLINE Packet<float, 16> look_up(const int* index) const {
    const __m512i lanes = _mm512_loadu_si512(index);
    if (!in_registers_) {
      return Packet<float, 16>::from_native(
          _mm512_mask_i32gather_ps(_mm512_setzero_ps(), all_lanes, lanes, values_, 4));
    }
    const auto low = _mm512_permutex2var_ps(part_[0], lanes, part_[1]);
    const auto high = _mm512_permutex2var_ps(part_[2], lanes, part_[3]);
    const auto is_high = _mm512_test_epi32_mask(lanes, _mm512_set1_epi32(32));
    return Packet<float, 16>::from_native(_mm512_mask_blend_ps(is_high, low, high));
  }

 private:
  const float* values_;
  bool in_registers_;
  Eigen::internal::Packet16f part_[4];
};

/// Up to 64 sums of floats in four registers: see `LaneTableSums`.
class FloatTableSums {
 public:
  FloatTableSums() {
    for (auto& part : part_) part = _mm512_setzero_ps();
  }

  /// \param routes  16 of them, as `set_route` makes them
  EIGEN_ALWAYS_INLINE void add(const int* routes, const Packet<float, 16>& values) {
    const __m512i all = _mm512_loadu_si512(routes);
    part_[0] = _mm512_add_ps(part_[0], route(values.native, all));
    part_[1] = _mm512_add_ps(part_[1], route(values.native, _mm512_maskz_srli_epi32(all_lanes, all, 8)));
    part_[2] = _mm512_add_ps(part_[2], route(values.native, _mm512_maskz_srli_epi32(all_lanes, all, 16)));
    part_[3] = _mm512_add_ps(part_[3], route(values.native, _mm512_maskz_srli_epi32(all_lanes, all, 24)));
  }

  /// Adds the sums, each times a factor, to a table of `count` values.
  void add_products_to(float* values, Index count, const Packet<float, 16>& factor) const {
    for (int k = 0; k < 4 && 16 * k < count; ++k) {
      const __mmask16 lanes = lanes_of_part(count, k);
      const auto sum = _mm512_fmadd_ps(part_[k], factor.native, _mm512_maskz_loadu_ps(lanes, values + 16 * k));
      _mm512_mask_storeu_ps(values + 16 * k, lanes, sum);
    }
  }

 private:
  /// The instruction reads the five lowest bits of each route. A value of 16 or more selects a 0.
  static EIGEN_ALWAYS_INLINE __m512 route(const __m512& values, const __m512i& routes) {
    return _mm512_permutex2var_ps(values, routes, _mm512_setzero_ps());
  }

  Eigen::internal::Packet16f part_[4];
};
#endif

}  // namespace elegans::detail::avx512
