// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>

#include <elegans/core/types.hpp>

namespace elegans::detail {

/// True unless the value is infinite or NaN. Looks at the bits: under -ffinite-math-only a compiler believes that
/// `std::isfinite` is always true.
[[nodiscard]] constexpr bool is_finite(float value) noexcept {
  return (std::bit_cast<std::uint32_t>(value) & 0x7f800000U) != 0x7f800000U;
}
[[nodiscard]] constexpr bool is_finite(double value) noexcept {
  return (std::bit_cast<std::uint64_t>(value) & 0x7ff0000000000000U) != 0x7ff0000000000000U;
}

/// The same of several values.
template <std::floating_point Scalar>
[[nodiscard]] constexpr bool all_finite(const Scalar* values, Index count) noexcept {
  bool finite = true;
  for (Index i = 0; i < count; ++i) finite = finite && is_finite(values[i]);
  return finite;
}

}  // namespace elegans::detail
