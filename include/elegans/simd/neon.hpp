// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>

// What ARM does differently. With 32 bits it cannot divide packets, and takes every denormal number in a packet for 0.

namespace elegans::detail::neon {

/// True if packets are those of ARM.
#ifdef EIGEN_VECTORIZE_NEON
inline constexpr bool is_target = true;
#else
inline constexpr bool is_target = false;
#endif

#if defined(EIGEN_VECTORIZE_NEON) && !defined(__aarch64__)
/// a / b, within two units in the last place, for b up to 2^126; 0 above. Each step of Newton's method doubles the
/// number of correct bits in the reciprocal. The estimate has 8, and Eigen takes one step, which is off by 8e-6.
[[nodiscard]] EIGEN_ALWAYS_INLINE float32x4_t divide(const float32x4_t& a, const float32x4_t& b) {
  float32x4_t reciprocal = vrecpeq_f32(b);
  reciprocal = vmulq_f32(reciprocal, vrecpsq_f32(b, reciprocal));
  reciprocal = vmulq_f32(reciprocal, vrecpsq_f32(b, reciprocal));
  return vmulq_f32(a, reciprocal);
}
#endif

/// a / b wherever the target can divide.
template <typename Native>
[[nodiscard]] EIGEN_ALWAYS_INLINE Native divide(const Native& a, const Native& b) {
  return Eigen::internal::pdiv(a, b);
}

}  // namespace elegans::detail::neon
