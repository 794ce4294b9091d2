// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/simd/packet.hpp>

namespace elegans::detail {

/// A packet of twice as many lanes, if the target can join two packets: one operation then does the work of two.
template <typename Scalar, int Lanes>
struct WidePacket {
  static constexpr bool exists = false;
};

#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512DQ__)
template <>
struct WidePacket<float, 8> {
  static constexpr bool exists = true;
  using Half = Packet<float, 8>;
  using Type = Packet<float, 16>;

  [[nodiscard]] static EIGEN_ALWAYS_INLINE Type join(const Half& low, const Half& high) {
    return Type::from_native(_mm512_insertf32x8(_mm512_castps256_ps512(low.native), high.native, 1));
  }
  /// The first of two values in all lanes of the lower half, the second in all lanes of the upper half.
  [[nodiscard]] static EIGEN_ALWAYS_INLINE Type broadcast_two(const float* values) {
    return Type::from_native(_mm512_mask_broadcastss_ps(_mm512_set1_ps(values[0]), 0xff00, _mm_load_ss(values + 1)));
  }
};
#endif

}  // namespace elegans::detail
