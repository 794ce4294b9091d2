// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <elegans/simd/packet.hpp>

namespace elegans::detail {

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define ELEGANS_SHUFFLES 1
#endif
#endif

/// True if `fold` exists: packets of floats, on compilers that shuffle their lanes whatever the target.
template <typename P>
concept FoldedPacket =
#ifdef ELEGANS_SHUFFLES
    std::is_same_v<ScalarOf<P>, float> && Eigen::internal::unpacket_traits<P>::size % 4 == 0 &&
    requires(P packet) { packet[0] + packet[1]; };
#else
    false;
#endif

#ifdef ELEGANS_SHUFFLES
/// Of every four lanes of a and b: their sums two apart, taken in turns, (a0 + a2, b0 + b2, a1 + a3, b1 + b3).
template <typename P, std::size_t... Lane>
EIGEN_STRONG_INLINE P fold_alternating(const P& a, const P& b, std::index_sequence<Lane...>) {
  constexpr std::size_t lanes = sizeof...(Lane);
  return P(__builtin_shufflevector(a, b, (Lane / 4 * 4 + Lane % 4 / 2 + Lane % 2 * lanes)...)) +
         P(__builtin_shufflevector(a, b, (Lane / 4 * 4 + 2 + Lane % 4 / 2 + Lane % 2 * lanes)...));
}
/// The same, one after the other, (a0 + a2, a1 + a3, b0 + b2, b1 + b3).
template <typename P, std::size_t... Lane>
EIGEN_STRONG_INLINE P fold_side_by_side(const P& a, const P& b, std::index_sequence<Lane...>) {
  constexpr std::size_t lanes = sizeof...(Lane);
  return P(__builtin_shufflevector(a, b, (Lane / 4 * 4 + Lane % 2 + Lane % 4 / 2 * lanes)...)) +
         P(__builtin_shufflevector(a, b, (Lane / 4 * 4 + 2 + Lane % 2 + Lane % 4 / 2 * lanes)...));
}
/// Four packets into one: lane 4 k + m is the sum of the lanes 4 k to 4 k + 3 of the m-th.
template <FoldedPacket P>
EIGEN_STRONG_INLINE P fold(const P& a, const P& b, const P& c, const P& d) {
  using Lanes = std::make_index_sequence<Eigen::internal::unpacket_traits<P>::size>;
  return fold_side_by_side<P>(fold_alternating<P>(a, b, Lanes()), fold_alternating<P>(c, d, Lanes()), Lanes());
}

/// The sums of neighbouring blocks of four lanes, a's and then b's.
template <typename P, std::size_t... Lane>
EIGEN_STRONG_INLINE P fold_blocks(const P& a, const P& b, std::index_sequence<Lane...>) {
  return P(__builtin_shufflevector(a, b, (Lane / 4 * 8 + Lane % 4)...)) +
         P(__builtin_shufflevector(a, b, (Lane / 4 * 8 + 4 + Lane % 4)...));
}
#endif

/// As many packets as they have lanes: in lane k the sum over the lanes of the k-th.
template <typename P>
EIGEN_STRONG_INLINE P sum_each(const P* packets) {
  using namespace Eigen::internal;
  constexpr int lanes = unpacket_traits<P>::size;
  if constexpr (lanes == 1) {
    return *packets;
  } else if constexpr (FoldedPacket<P>) {
#ifdef ELEGANS_SHUFFLES
    using Lanes = std::make_index_sequence<lanes>;
    P sums[lanes / 4];
    for (int k = 0; k < lanes / 4; ++k) {
      sums[k] = fold<P>(packets[4 * k], packets[4 * k + 1], packets[4 * k + 2], packets[4 * k + 3]);
    }
    for (int count = lanes / 4; count > 1; count /= 2) {
      for (int k = 0; k < count / 2; ++k) sums[k] = fold_blocks<P>(sums[2 * k], sums[2 * k + 1], Lanes());
    }
    return sums[0];
#endif
  } else {
    PacketBlock<P, lanes> block;
    for (int k = 0; k < lanes; ++k) block.packet[k] = packets[k];
    ptranspose(block);
    for (int width = lanes / 2; width > 0; width /= 2) {
      for (int k = 0; k < width; ++k) block.packet[k] = padd(block.packet[k], block.packet[k + width]);
    }
    return block.packet[0];
  }
}

/// Adds to each of `Count` values in a row the sum over the lanes of its packet.
template <typename P, int Count>
EIGEN_STRONG_INLINE void add_sums(ScalarOf<P>* to, const P* packets) {
  constexpr int lanes = Eigen::internal::unpacket_traits<P>::size;
  int k = 0;
  for (; k + lanes <= Count; k += lanes) add_to<P>(to + k, sum_each<P>(packets + k));
  for (; k < Count; ++k) to[k] += Eigen::internal::predux(packets[k]);
}

}  // namespace elegans::detail
