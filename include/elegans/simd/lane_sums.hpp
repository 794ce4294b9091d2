// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <utility>

#include <elegans/simd/packet.hpp>

namespace elegans::detail {

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define ELEGANS_SHUFFLES 1
#endif
#endif

/// A type of packet that `fold` accepts: floats, with a compiler that can shuffle lanes on every target.
template <typename P>
concept FoldedPacket =
#ifdef ELEGANS_SHUFFLES
    std::same_as<typename P::Scalar, float> && P::lanes % 4 == 0 &&
    requires(P packet) { packet.native[0] + packet.native[1]; };
#else
    false;
#endif

#ifdef ELEGANS_SHUFFLES
/// Adds lanes that are two apart, within every four lanes of a and b: (a0 + a2, b0 + b2, a1 + a3, b1 + b3).
template <typename P, std::size_t... Lane>
[[nodiscard]] EIGEN_ALWAYS_INLINE P fold_alternating(const P& a, const P& b, std::index_sequence<Lane...>) {
  using N = typename P::Native;
  constexpr std::size_t lanes = sizeof...(Lane);
  const N first = N(__builtin_shufflevector(a.native, b.native, (Lane / 4 * 4 + Lane % 4 / 2 + Lane % 2 * lanes)...));
  const N second =
      N(__builtin_shufflevector(a.native, b.native, (Lane / 4 * 4 + 2 + Lane % 4 / 2 + Lane % 2 * lanes)...));
  return P::from_native(first + second);
}
/// The same sums in another order: (a0 + a2, a1 + a3, b0 + b2, b1 + b3).
template <typename P, std::size_t... Lane>
[[nodiscard]] EIGEN_ALWAYS_INLINE P fold_side_by_side(const P& a, const P& b, std::index_sequence<Lane...>) {
  using N = typename P::Native;
  constexpr std::size_t lanes = sizeof...(Lane);
  const N first = N(__builtin_shufflevector(a.native, b.native, (Lane / 4 * 4 + Lane % 2 + Lane % 4 / 2 * lanes)...));
  const N second =
      N(__builtin_shufflevector(a.native, b.native, (Lane / 4 * 4 + 2 + Lane % 2 + Lane % 4 / 2 * lanes)...));
  return P::from_native(first + second);
}
/// Folds four packets into one: lane 4 k + m is the sum of lanes 4 k to 4 k + 3 of the m-th packet.
template <FoldedPacket P>
[[nodiscard]] EIGEN_ALWAYS_INLINE P fold(const P& a, const P& b, const P& c, const P& d) {
  using Lanes = std::make_index_sequence<std::size_t{P::lanes}>;
  return fold_side_by_side(fold_alternating(a, b, Lanes()), fold_alternating(c, d, Lanes()), Lanes());
}

/// Adds neighbouring blocks of four lanes: a's sums first, then b's.
template <typename P, std::size_t... Lane>
[[nodiscard]] EIGEN_ALWAYS_INLINE P fold_blocks(const P& a, const P& b, std::index_sequence<Lane...>) {
  using N = typename P::Native;
  const N first = N(__builtin_shufflevector(a.native, b.native, (Lane / 4 * 8 + Lane % 4)...));
  const N second = N(__builtin_shufflevector(a.native, b.native, (Lane / 4 * 8 + 4 + Lane % 4)...));
  return P::from_native(first + second);
}
#endif

/// Sums up each of several packets, as many as they have lanes: lane k is the sum over the lanes of the k-th packet.
template <typename P>
[[nodiscard]] EIGEN_ALWAYS_INLINE P sum_each(const P* packets) {
  constexpr int lanes = P::lanes;
  if constexpr (lanes == 1) {
    return *packets;
  } else if constexpr (FoldedPacket<P>) {
#ifdef ELEGANS_SHUFFLES
    using Lanes = std::make_index_sequence<std::size_t{lanes}>;
    P sums[lanes / 4];
    for (int k = 0; k < lanes / 4; ++k, packets += 4) sums[k] = fold(packets[0], packets[1], packets[2], packets[3]);
    for (int count = lanes / 4; count > 1; count /= 2) {
      for (int k = 0; k < count / 2; ++k) sums[k] = fold_blocks(sums[2 * k], sums[2 * k + 1], Lanes());
    }
    return sums[0];
#endif
  } else {
    Eigen::internal::PacketBlock<typename P::Native, lanes> block;
    for (int k = 0; k < lanes; ++k) block.packet[k] = packets[k].native;
    Eigen::internal::ptranspose(block);
    for (int width = lanes / 2; width > 0; width /= 2) {
      for (int k = 0; k < width; ++k) block.packet[k] = Eigen::internal::padd(block.packet[k], block.packet[k + width]);
    }
    return P::from_native(block.packet[0]);
  }
}

/// Adds to each of `Count` neighbouring values the sum over the lanes of its packet.
template <int Count, typename P>
EIGEN_ALWAYS_INLINE void add_sums(typename P::Scalar* to, const P* packets) {
  int k = 0;
  for (; k + P::lanes <= Count; k += P::lanes) add_to(to + k, sum_each(packets + k));
  for (; k < Count; ++k) to[k] += sum(packets[k]);
}

}  // namespace elegans::detail
