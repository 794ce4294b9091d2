// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <elegans/core/types.hpp>

namespace elegans::detail {

// The kernels are written once, on Eigen's packets: P is a SIMD register of values (one lane each), or a plain
// scalar (one lane). Eigen chooses the instructions for the target the translation unit is compiled for.

/// Lanes of the widest packet of the target.
template <typename Scalar>
inline constexpr int full_lanes = Eigen::internal::packet_traits<Scalar>::size;

/// Lanes of the narrowest packet worth using: 16 bytes, if the target has packets at all.
template <typename Scalar>
inline constexpr int fewest_lanes =
    full_lanes<Scalar> < 16 / int{sizeof(Scalar)} ? full_lanes<Scalar> : 16 / int{sizeof(Scalar)};

/// The packet of so many lanes. Named by its lanes, as compilers drop a SIMD type's attributes in template arguments.
template <typename Scalar, int Lanes>
using Packet = typename Eigen::internal::find_best_packet<Scalar, Lanes>::type;

template <typename P>
using ScalarOf = typename Eigen::internal::unpacket_traits<P>::type;

template <typename P>
EIGEN_STRONG_INLINE P load(const ScalarOf<P>* from) {
  return Eigen::internal::ploadu<P>(from);
}

template <typename P>
EIGEN_STRONG_INLINE void store(ScalarOf<P>* to, const P& value) {
  Eigen::internal::pstoreu(to, value);
}

template <typename P>
EIGEN_STRONG_INLINE P broadcast(const ScalarOf<P>& value) {
  return Eigen::internal::pset1<P>(value);
}

/// Calls body<P>(i) for whole packets, and body<Scalar>(i) for each value that is left. What is computed of a value
/// depends on its place alone, where Eigen's own loops go by the address too.
template <typename P, typename Body>
EIGEN_STRONG_INLINE void for_each_packet(Eigen::Index size, Body&& body) {
  constexpr Eigen::Index lanes = Eigen::internal::unpacket_traits<P>::size;
  Eigen::Index i = 0;
  for (; i + lanes <= size; i += lanes) body.template operator()<P>(i);
  for (; i < size; ++i) body.template operator()<ScalarOf<P>>(i);
}

/// A function of a value, lane by lane, where there is none for packets.
template <typename P, typename Function>
EIGEN_STRONG_INLINE P each_lane(const P& x, Function&& function) {
  constexpr int lanes = Eigen::internal::unpacket_traits<P>::size;
  ScalarOf<P> from[lanes], to[lanes];
  store<P>(from, x);
  for (int k = 0; k < lanes; ++k) to[k] = function(from[k]);
  return load<P>(to);
}

/// Adds to what is in memory.
template <typename P>
EIGEN_STRONG_INLINE void add_to(ScalarOf<P>* to, const P& value) {
  store<P>(to, Eigen::internal::padd(load<P>(to), value));
}

/// a b + c to what is in memory at c.
template <typename P>
EIGEN_STRONG_INLINE void add_product_to(ScalarOf<P>* to, const P& a, const P& b) {
  store<P>(to, Eigen::internal::pmadd(a, b, load<P>(to)));
}

/// `if_zero` in the lanes where x is 0, `otherwise` in the others.
template <typename P>
EIGEN_STRONG_INLINE P select_zero(const P& x, const P& if_zero, const P& otherwise) {
  if constexpr (std::is_same_v<P, ScalarOf<P>>) {
    return x == P(0) ? if_zero : otherwise;
  } else {
    return Eigen::internal::pselect(Eigen::internal::pcmp_eq(x, broadcast<P>(ScalarOf<P>(0))), if_zero, otherwise);
  }
}

}  // namespace elegans::detail
