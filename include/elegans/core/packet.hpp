// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

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
  ScalarOf<P> values[Eigen::internal::unpacket_traits<P>::size];
  store<P>(values, x);
  for (ScalarOf<P>& value : values) value = function(value);
  return load<P>(values);
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

/// As many packets as they have lanes, `distance` values apart: in lane k the sum over the lanes of the k-th.
template <typename P>
EIGEN_STRONG_INLINE P sum_each(const ScalarOf<P>* from, Eigen::Index distance) {
  using namespace Eigen::internal;
  constexpr int lanes = unpacket_traits<P>::size;
  if constexpr (lanes == 1) {
    return *from;
  } else {
    PacketBlock<P, lanes> block;
    for (int k = 0; k < lanes; ++k) block.packet[k] = load<P>(from + k * distance);
    ptranspose(block);
    for (int width = lanes / 2; width > 0; width /= 2) {
      for (int k = 0; k < width; ++k) block.packet[k] = padd(block.packet[k], block.packet[k + width]);
    }
    return block.packet[0];
  }
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define ELEGANS_SHUFFLES 1
#endif
#endif

/// True if `fold` exists: packets of floats, on compilers that shuffle their lanes whatever the target.
template <typename P>
concept FoldedPacket =
#ifdef ELEGANS_SHUFFLES
    std::is_same_v < ScalarOf<P>,
float > &&Eigen::internal::unpacket_traits<P>::size % 4 == 0 && requires(P packet) { packet[0] + packet[1]; };
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
#endif

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
