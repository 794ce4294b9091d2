// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <elegans/core/types.hpp>

namespace elegans::detail {

// With -ffast-math a compiler assumes that no value is NaN or infinite. `std::isfinite` is then always true, and a
// comparison that should catch a NaN may give either answer. So these functions look at the bits.

template <typename Scalar>
using BitsOf = std::conditional_t<sizeof(Scalar) == 4, std::uint32_t, std::uint64_t>;

/// The bits of infinity. A NaN has larger bits, a finite number has smaller ones, all without the sign.
template <typename Scalar>
inline constexpr BitsOf<Scalar> infinity_bits =
    (BitsOf<Scalar>(1) << (8 * sizeof(Scalar) - 1)) - (BitsOf<Scalar>(1) << (std::numeric_limits<Scalar>::digits - 1));

template <typename Scalar>
[[nodiscard]] BitsOf<Scalar> bits_without_sign(Scalar value) noexcept {
  static_assert(std::same_as<Scalar, float> || std::same_as<Scalar, double>);
  return Eigen::numext::bit_cast<BitsOf<Scalar>>(value) & ((std::numeric_limits<BitsOf<Scalar>>::max)() >> 1);
}

/// The same bits, but the compiler cannot know them. clang recognizes a test of the bits, and would answer it from the
/// flags after all.
template <typename Bits>
[[nodiscard]] Bits hidden(Bits bits) noexcept {
#ifdef __GNUC__
  if constexpr (sizeof(Bits) <= sizeof(void*)) {
    asm("" : "+r"(bits));  // NOLINT(portability-no-assembler): nothing in C++ hides a value
    return bits;
  }
#endif
  volatile Bits stored = bits;
  return stored;
}

/// True unless the value is NaN or infinite.
template <typename Scalar>
[[nodiscard]] bool is_finite(Scalar value) noexcept {
  return hidden(bits_without_sign(value)) < infinity_bits<Scalar>;
}

/// True if the value is NaN. Ask this before comparing a number that may be NaN: `is_nan(x) || x < 0`.
template <typename Scalar>
[[nodiscard]] bool is_nan(Scalar value) noexcept {
  return hidden(bits_without_sign(value)) > infinity_bits<Scalar>;
}

/// True if none of several values is NaN or infinite.
template <typename Scalar>
[[nodiscard]] bool all_finite(const Scalar* values, Index count) noexcept {
  bool finite = true;
  for (Index i = 0; i < count; ++i) finite = finite && is_finite(values[i]);
  return finite;
}

/// The same of an array in one piece of memory.
template <typename Array>
[[nodiscard]] bool all_finite(const Array& values) noexcept {
  return all_finite(values.data(), values.size());
}

}  // namespace elegans::detail
