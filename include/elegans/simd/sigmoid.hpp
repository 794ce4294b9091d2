// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <elegans/core/types.hpp>
#include <elegans/simd/avx512.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

// The logistic function 1 / (1 + exp(-x)): most of a network's time goes here. In float it is 1 / (1 + 2^s) with
// s = -x log2(e), and
//
//     2^s = 2^n p(s - n),   n = s rounded to an integer,   p the polynomial of degree 5 with the least relative error.
//
// Eigen's has a branch for values below -9; this has none, and takes two thirds of the time. Its largest error is 1e-7,
// as Eigen's; relative to the value it is 1e-5 at x = -85, where Eigen's is off by 2e-3 at -9 already. In double we use
// Eigen's.

/// s = sigmoid_scale x. The kernels pack the scale into a factor that multiplies x anyway.
template <typename Scalar>
inline constexpr Scalar sigmoid_scale = Scalar(1);
template <>
inline constexpr float sigmoid_scale<float> = -1.44269504f;

template <typename P>
concept FloatPacket = std::same_as<typename P::Scalar, float>;

/// The order in which a polynomial is evaluated.
enum class Evaluation {
  fewest_operations,  ///< Horner's scheme, for many values at a time: one hides the latency of another
  shortest_chain      ///< Estrin's scheme, for a value that the next step waits for
};

/// 2^r for r in [-1/2, 1/2], within 1.5e-7 of its value.
template <Evaluation evaluation, FloatPacket P>
[[nodiscard]] EIGEN_ALWAYS_INLINE P exp2_fraction(const P& r) {
  const P c5(1.32764722e-3f), c4(9.67554133e-3f), c3(5.55071327e-2f), c2(2.40221197e-1f), c1(6.93146967e-1f),
      c0(1.00000007f);
  if constexpr (evaluation == Evaluation::shortest_chain) {
    const P r2 = r * r;
    return fma(fma(fma(r, c5, c4), r2, fma(r, c3, c2)), r2, fma(r, c1, c0));
  } else {
    return fma(r, fma(r, fma(r, fma(r, fma(r, c5, c4), c3), c2), c1), c0);
  }
}

/// 1 + 2^s. 2^s is at least 2^-126 and at most 2^126.
template <Evaluation evaluation, FloatPacket P>
[[nodiscard]] EIGEN_ALWAYS_INLINE P one_plus_exp2(const P& s) {
  if constexpr (avx512::has_exp2 && P::lanes > 1) {
    const P one(1.0f);
    const P r = avx512::fraction(s);
    const P fraction = exp2_fraction<evaluation>(r);
    const P n = s - r;
    if constexpr (evaluation == Evaluation::shortest_chain) {
      // 2^n is ready before the polynomial is.
      return fma(fraction, avx512::times_exp2(one, n), one);
    } else {
      return one + avx512::times_exp2(fraction, n);
    }
  } else {
    const P clamped = minimum(maximum(s, P(-126.0f)), P(126.0f));
    // A float between 2^23 and 2^24 is a whole number. So this sum is n + 127 in its lowest bits, which is how a float
    // writes the exponent n, and their difference is n.
    const P shift(12582912.0f + 127.0f);
    P shifted = clamped + shift;
    hide(shifted);
    P n = shifted - shift;
    hide(n);
    return fma(exp2_fraction<evaluation>(clamped - n), exponent_of_lowest_bits(shifted), P(1.0f));
  }
}

/// The sigmoid of x, from s = sigmoid_scale x.
template <Evaluation evaluation = Evaluation::fewest_operations, typename P>
[[nodiscard]] EIGEN_ALWAYS_INLINE P sigmoid_of_scaled(const P& s) {
  using Scalar = typename P::Scalar;
  using Logistic = Eigen::internal::scalar_logistic_op<Scalar>;
  constexpr Scalar unscale = Scalar(1) / sigmoid_scale<Scalar>;
  if constexpr (FloatPacket<P>) {
    return P(1.0f) / one_plus_exp2<evaluation>(s);
  } else if constexpr (P::lanes == 1) {
    return P(Logistic()(s.native / sigmoid_scale<Scalar>));
  } else {
    return P::from_native(Logistic().packetOp((s * P(unscale)).native));
  }
}

template <typename P>
[[nodiscard]] EIGEN_ALWAYS_INLINE P sigmoid(const P& x) {
  return sigmoid_of_scaled(x * P(sigmoid_scale<typename P::Scalar>));
}

}  // namespace elegans::detail
