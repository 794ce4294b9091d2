// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/neon.hpp>

namespace elegans::detail {

// The vocabulary that all kernels are written in. `Eigen::internal` and a target's intrinsics appear in this folder
// alone.

/// Number of lanes of the target's widest packet.
template <typename Scalar>
inline constexpr int full_lanes = Eigen::internal::packet_traits<Scalar>::size;

/// Number of lanes of the narrowest packet that is worth using: 16 bytes, if the target has packets at all.
template <typename Scalar>
inline constexpr int fewest_lanes =
    full_lanes<Scalar> < 16 / int{sizeof(Scalar)} ? full_lanes<Scalar> : 16 / int{sizeof(Scalar)};

/// The target's own type for so many values. For one value it is the scalar, because Eigen's smallest packet has more
/// than one lane.
template <typename Scalar, int Lanes>
using NativePacket = typename std::conditional_t<Lanes == 1, std::type_identity<Scalar>,
                                                 Eigen::internal::find_best_packet<Scalar, Lanes>>::type;

/// The result of a comparison, lane by lane: see `select`.
template <typename Scalar, int Lanes>
struct PacketMask {
  NativePacket<Scalar, Lanes> native;
};
template <typename Scalar>
struct PacketMask<Scalar, 1> {
  bool native;
};

/// `Lanes` values side by side in one SIMD register; with one lane, a plain value. Eigen chooses the instructions for
/// the target that the translation unit is compiled for.
template <typename ScalarType, int Lanes>
struct Packet {
  using Scalar = ScalarType;
  using Native = NativePacket<Scalar, Lanes>;
  static constexpr int lanes = Lanes;
  static_assert(Eigen::internal::unpacket_traits<Native>::size == Lanes, "the target has no packet of so many lanes");

  Native native;

  Packet() = default;
  /// The same value in every lane.
  explicit EIGEN_ALWAYS_INLINE Packet(Scalar value) : native(Eigen::internal::pset1<Native>(value)) {}
  [[nodiscard]] static EIGEN_ALWAYS_INLINE Packet from_native(const Native& native) {
    Packet packet;
    packet.native = native;
    return packet;
  }

  friend EIGEN_ALWAYS_INLINE Packet operator+(const Packet& a, const Packet& b) {
    return from_native(Eigen::internal::padd(a.native, b.native));
  }
  friend EIGEN_ALWAYS_INLINE Packet operator-(const Packet& a, const Packet& b) {
    return from_native(Eigen::internal::psub(a.native, b.native));
  }
  friend EIGEN_ALWAYS_INLINE Packet operator*(const Packet& a, const Packet& b) {
    return from_native(Eigen::internal::pmul(a.native, b.native));
  }
  friend EIGEN_ALWAYS_INLINE Packet operator/(const Packet& a, const Packet& b) {
    return from_native(neon::divide(a.native, b.native));
  }
  friend EIGEN_ALWAYS_INLINE Packet operator-(const Packet& a) {
    return from_native(Eigen::internal::pnegate(a.native));
  }
  /// a b + c, rounded once where the target can.
  friend EIGEN_ALWAYS_INLINE Packet fma(const Packet& a, const Packet& b, const Packet& c) {
    return from_native(Eigen::internal::pmadd(a.native, b.native, c.native));
  }
  friend EIGEN_ALWAYS_INLINE Packet minimum(const Packet& a, const Packet& b) {
    return from_native(Eigen::internal::pmin(a.native, b.native));
  }
  friend EIGEN_ALWAYS_INLINE Packet maximum(const Packet& a, const Packet& b) {
    return from_native(Eigen::internal::pmax(a.native, b.native));
  }
  friend EIGEN_ALWAYS_INLINE Packet absolute(const Packet& a) { return from_native(Eigen::internal::pabs(a.native)); }

  friend EIGEN_ALWAYS_INLINE PacketMask<Scalar, Lanes> operator==(const Packet& a, const Packet& b) {
    if constexpr (Lanes == 1) {
      return {a.native == b.native};
    } else {
      return {Eigen::internal::pcmp_eq(a.native, b.native)};
    }
  }
  /// `then` in the lanes where the condition holds, `otherwise` in the others.
  friend EIGEN_ALWAYS_INLINE Packet select(const PacketMask<Scalar, Lanes>& condition, const Packet& then,
                                           const Packet& otherwise) {
    if constexpr (Lanes == 1) {
      return condition.native ? then : otherwise;
    } else {
      return from_native(Eigen::internal::pselect(condition.native, then.native, otherwise.native));
    }
  }

  /// The sum over the lanes.
  friend EIGEN_ALWAYS_INLINE Scalar sum(const Packet& a) { return Eigen::internal::predux(a.native); }
};

/// Hides a value from the optimizer. -fassociative-math lets a compiler turn (s + c) - c into s, although that rounds s
/// to a multiple of c's last digit, and no macro tells of the flag. So hide the result of each of the two steps.
template <typename P>
EIGEN_ALWAYS_INLINE void hide(P& packet) {
  // NOLINTBEGIN(portability-no-assembler): nothing in C++ hides a value, and the last branch serves other compilers.
#if defined(__GNUC__) && defined(__AVX512F__)
  asm("" : "+v"(packet.native));
#elif defined(__GNUC__) && defined(__wasm__)
  asm("" : "+r"(packet.native));
#elif defined(__GNUC__) && defined(__SSE2__)
  asm("" : "+x"(packet.native));
#elif defined(__GNUC__) && (defined(__ARM_NEON) || defined(__aarch64__))
  asm("" : "+w"(packet.native));
#elif defined(__GNUC__) && defined(__arm__) && defined(__ARM_FP)
  asm("" : "+t"(packet.native));
#elif defined(__GNUC__)
  asm("" : "+m"(packet.native));
#else
  volatile typename P::Native stored = packet.native;
  packet.native = stored;
#endif
  // NOLINTEND(portability-no-assembler)
}

/// Reads a packet from memory of any alignment.
template <typename P>
[[nodiscard]] EIGEN_ALWAYS_INLINE P load(const typename P::Scalar* from) {
  return P::from_native(Eigen::internal::ploadu<typename P::Native>(from));
}

/// Writes a packet to memory of any alignment.
template <typename Scalar, int Lanes>
EIGEN_ALWAYS_INLINE void store(Scalar* to, const Packet<Scalar, Lanes>& value) {
  Eigen::internal::pstoreu(to, value.native);
}

/// Adds a packet to the values in memory.
template <typename Scalar, int Lanes>
EIGEN_ALWAYS_INLINE void add_to(Scalar* to, const Packet<Scalar, Lanes>& value) {
  store(to, load<Packet<Scalar, Lanes>>(to) + value);
}

/// Adds a b to the values in memory.
template <typename Scalar, int Lanes>
EIGEN_ALWAYS_INLINE void add_product_to(Scalar* to, const Packet<Scalar, Lanes>& a, const Packet<Scalar, Lanes>& b) {
  store(to, fma(a, b, load<Packet<Scalar, Lanes>>(to)));
}

/// Calls body<P>(i) for whole packets, then body<P1>(i) for each value that is left over, with P1 a packet of one lane.
/// The result for a value depends on its index alone; in Eigen's own loops it depends on the address too.
template <typename P, typename Body>
EIGEN_ALWAYS_INLINE void for_each_packet(Index size, Body&& body) {
  Index i = 0;
  for (; i + P::lanes <= size; i += P::lanes) body.template operator()<P>(i);
  for (; i < size; ++i) body.template operator()<Packet<typename P::Scalar, 1>>(i);
}

/// 2^n for each lane of a packet of floats whose lowest bits are n + 127, for n from -126 to 127.
template <int Lanes>
[[nodiscard]] EIGEN_ALWAYS_INLINE Packet<float, Lanes> exponent_of_lowest_bits(const Packet<float, Lanes>& packet) {
  using P = Packet<float, Lanes>;
  constexpr int mantissa = std::numeric_limits<float>::digits - 1;
  if constexpr (Lanes == 1) {
    return P(Eigen::numext::bit_cast<float>(Eigen::numext::bit_cast<std::uint32_t>(packet.native) << mantissa));
  } else {
    using Integers = typename Eigen::internal::unpacket_traits<typename P::Native>::integer_packet;
    const Integers bits(Eigen::internal::preinterpret<Integers>(packet.native));
    const Integers shifted(Eigen::internal::plogical_shift_left<mantissa>(bits));
    return P::from_native(Eigen::internal::preinterpret<typename P::Native>(shifted));
  }
}

/// True if no lane of several packets in memory is NaN or infinite.
template <typename P>
[[nodiscard]] EIGEN_ALWAYS_INLINE bool all_finite(const typename P::Scalar* values, Index packets) {
  // 0 times a value is 0, unless the value is NaN or infinite. The compiler has to multiply, because it cannot know
  // that the factor is 0.
  P zero(typename P::Scalar(0));
  hide(zero);
  P products = zero;
  for (Index i = 0; i < packets; ++i) {
    products = fma(zero, load<P>(values + i * P::lanes), products);
    hide(products);  // or -fassociative-math adds up the values first, which may overflow
  }
  return is_finite(sum(products));
}

/// Applies a scalar function to each lane, where there is none for packets.
template <typename P, typename Function>
[[nodiscard]] EIGEN_ALWAYS_INLINE P each_lane(const P& x, Function&& function) {
  typename P::Scalar values[P::lanes];
  store(values, x);
  for (auto& value : values) value = function(value);
  return load<P>(values);
}

}  // namespace elegans::detail
