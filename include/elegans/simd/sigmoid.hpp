// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <elegans/core/types.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

// The logistic function 1 / (1 + exp(-x)), the library's unit of cost. In float it is 1 / (1 + 2^s), s = -x log2(e):
//
//     2^s = 2^n p(s - n),   n = s to the nearest integer,   p the polynomial of degree 5 with the least relative error
//
// which has no branch, where Eigen's has one for values below -9, and takes two thirds of the time. Largest error 1e-7,
// as Eigen's; relative to the value 1e-5 at x = -85, where Eigen's is 2e-3 off at -9. In double it is Eigen's.

/// s = sigmoid_scale x: packed once into what multiplies x anyway.
template <typename Scalar>
inline constexpr Scalar sigmoid_scale = Scalar(1);
template <>
inline constexpr float sigmoid_scale<float> = -1.44269504f;

/// True if a packet's bits can be had as integers of the same size.
template <typename P>
concept FloatPacket =
    std::is_same_v<ScalarOf<P>, float> && requires { typename Eigen::internal::unpacket_traits<P>::integer_packet; };

/// How a polynomial is evaluated.
enum class Evaluation {
  fewest_operations,  ///< Horner's scheme: for many values, which fill each other's waits
  shortest_chain      ///< Estrin's scheme: for a value that the next step waits for
};

/// 2^r for r in [-1/2, 1/2], within 1.5e-7 of its value.
template <typename P, Evaluation evaluation>
EIGEN_STRONG_INLINE P exp2_fraction(const P& r) {
  using Eigen::internal::pmadd;
  const auto c = [](float coefficient) { return broadcast<P>(coefficient); };
  if constexpr (evaluation == Evaluation::shortest_chain) {
    const P r2 = Eigen::internal::pmul(r, r);
    const P high = pmadd(r, c(1.32764722e-3f), c(9.67554133e-3f));
    const P middle = pmadd(r, c(5.55071327e-2f), c(2.40221197e-1f));
    const P low = pmadd(r, c(6.93146967e-1f), c(1.00000007f));
    return pmadd(pmadd(high, r2, middle), r2, low);
  } else {
    P p = pmadd(r, c(1.32764722e-3f), c(9.67554133e-3f));
    p = pmadd(r, p, c(5.55071327e-2f));
    p = pmadd(r, p, c(2.40221197e-1f));
    p = pmadd(r, p, c(6.93146967e-1f));
    return pmadd(r, p, c(1.00000007f));
  }
}

/// 1 + 2^s, of which 2^s is at least 2^-126 and at most 2^126.
template <Evaluation evaluation, FloatPacket P>
EIGEN_STRONG_INLINE P one_plus_exp2(const P& s) {
  using namespace Eigen::internal;
  using Integers = typename unpacket_traits<P>::integer_packet;
  const P clamped = pmin(pmax(s, broadcast<P>(-126.0f)), broadcast<P>(126.0f));
  // Adding 1.5 2^23 leaves the nearest integer in the lowest bits, from where it moves up into the exponent.
  const P round = broadcast<P>(12582912.0f);
  P shifted = padd(clamped, round);
#ifdef __FAST_MATH__
  EIGEN_OPTIMIZATION_BARRIER(shifted)
#endif
  const P fraction = exp2_fraction<P, evaluation>(psub(clamped, psub(shifted, round)));
  const P power = preinterpret<P>(
      padd(preinterpret<Integers>(fraction), Integers(plogical_shift_left<23>(preinterpret<Integers>(shifted)))));
  return padd(broadcast<P>(1.0f), power);
}

#if defined(EIGEN_VECTORIZE_AVX512) && defined(__AVX512DQ__) && defined(__AVX512VL__)
// Two instructions that do all of that, for any s: what is left of s after rounding, and times 2^n.
EIGEN_STRONG_INLINE auto fraction_of(const Eigen::internal::Packet16f& s) {
  return _mm512_reduce_ps(s, _MM_FROUND_NO_EXC);
}
EIGEN_STRONG_INLINE auto fraction_of(const Eigen::internal::Packet8f& s) {
  return _mm256_reduce_ps(s, _MM_FROUND_NO_EXC);
}
EIGEN_STRONG_INLINE auto fraction_of(const Eigen::internal::Packet4f& s) { return _mm_reduce_ps(s, _MM_FROUND_NO_EXC); }
EIGEN_STRONG_INLINE auto times_exp2(const Eigen::internal::Packet16f& x, const Eigen::internal::Packet16f& n) {
  return _mm512_scalef_ps(x, n);
}
EIGEN_STRONG_INLINE auto times_exp2(const Eigen::internal::Packet8f& x, const Eigen::internal::Packet8f& n) {
  return _mm256_scalef_ps(x, n);
}
EIGEN_STRONG_INLINE auto times_exp2(const Eigen::internal::Packet4f& x, const Eigen::internal::Packet4f& n) {
  return _mm_scalef_ps(x, n);
}

template <Evaluation evaluation, FloatPacket P>
  requires requires(P s) { fraction_of(s); }
EIGEN_STRONG_INLINE P one_plus_exp2(const P& s) {
  using namespace Eigen::internal;
  const P one = broadcast<P>(1.0f);
  const P r = fraction_of(s);
  const P fraction = exp2_fraction<P, evaluation>(r);
  const P n = psub(s, r);
  // 2^n is ready before the polynomial is.
  if constexpr (evaluation == Evaluation::shortest_chain) return pmadd(fraction, P(times_exp2(one, n)), one);
  return padd(one, P(times_exp2(fraction, n)));
}
#endif

/// The sigmoid of x, from s = sigmoid_scale x.
template <typename P, Evaluation evaluation = Evaluation::fewest_operations>
EIGEN_STRONG_INLINE P sigmoid_of_scaled(const P& s) {
  using namespace Eigen::internal;
  using Scalar = ScalarOf<P>;
  if constexpr (FloatPacket<P>) {
    return pdiv(broadcast<P>(1.0f), one_plus_exp2<evaluation>(s));
  } else if constexpr (std::is_same_v<P, Scalar>) {
    return scalar_logistic_op<Scalar>()(s / sigmoid_scale<Scalar>);
  } else {
    return scalar_logistic_op<Scalar>().packetOp(pmul(s, broadcast<P>(Scalar(1) / sigmoid_scale<Scalar>)));
  }
}

template <typename P>
EIGEN_STRONG_INLINE P sigmoid(const P& x) {
  return sigmoid_of_scaled<P>(Eigen::internal::pmul(x, broadcast<P>(sigmoid_scale<ScalarOf<P>>)));
}

}  // namespace elegans::detail
