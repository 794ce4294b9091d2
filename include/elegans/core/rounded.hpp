// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace elegans::detail {

/// The value as a double in memory. The x87 unit of 32-bit processors computes with more digits, so that
/// `static_cast<int>(0.6 * 5)` is 2 there, and 3 everywhere else.
inline double rounded(double value) noexcept {
  volatile double stored = value;
  return stored;
}

}  // namespace elegans::detail
