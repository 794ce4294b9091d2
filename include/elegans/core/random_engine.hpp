// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace elegans {

/// The source of initial values: SplitMix64, which needs eight bytes and gives the same numbers on every platform
/// and standard library (the distributions of `<random>` do not).
///
/// Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014.
class RandomEngine {
 public:
  explicit constexpr RandomEngine(std::uint64_t seed) noexcept : state_(seed) {}

  /// 64 random bits.
  constexpr std::uint64_t operator()() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

  /// Uniform in [low, high), from the upper 53 bits: `float` and `double` see the same draw.
  constexpr double uniform(double low, double high) noexcept {
    return low + (high - low) * (static_cast<double>((*this)() >> 11) * 0x1.0p-53);
  }

 private:
  std::uint64_t state_;
};

}  // namespace elegans
