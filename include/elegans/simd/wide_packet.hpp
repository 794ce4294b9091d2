// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/simd/packet.hpp>

namespace elegans::detail {

/// A packet of twice as many lanes, if the target has one and can put it together: two where one would be half of a
/// register.
template <typename Scalar, int Lanes>
struct Doubled {
  static constexpr bool exists = false;
};

#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512DQ__)
template <>
struct Doubled<float, 8> {
  static constexpr bool exists = true;
  using type = Eigen::internal::Packet16f;

  static EIGEN_STRONG_INLINE type join(const Eigen::internal::Packet8f& low, const Eigen::internal::Packet8f& high) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
  }
  /// The first of two values in all lanes of the lower half, the second in those of the upper half.
  static EIGEN_STRONG_INLINE type broadcast_two(const float* values) {
    return _mm512_mask_broadcastss_ps(_mm512_set1_ps(values[0]), 0xff00, _mm_load_ss(values + 1));
  }
};
#endif

}  // namespace elegans::detail
