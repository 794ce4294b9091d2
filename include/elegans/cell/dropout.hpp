// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <elegans/cell/step.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans::detail {

/// Makes a well-mixed 64-bit number of a counter: the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
constexpr std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

// mutate all: cell.dropout
/// Drops a share of a layer's values and scales up the rest, as `torch.nn.Dropout`. The same call is its own adjoint.
template <LaneLayout Lanes>
void drop(double share, std::uint64_t seed, const StepPosition& position, std::uint64_t layer, Index neurons,
          typename Lanes::Scalar* values) {
  using Scalar = typename Lanes::Scalar;
  const auto threshold = static_cast<std::uint64_t>(share * 0x1.0p64);
  const auto scale = static_cast<Scalar>(1.0 / (1.0 - share));
  const std::uint64_t run = mix(mix(seed ^ mix(layer)) ^ position.run);
  const std::uint64_t step = mix(run ^ static_cast<std::uint64_t>(position.time));
  for (Index b = 0; b < Lanes::samples; ++b) {
    const std::uint64_t sample = mix(step ^ static_cast<std::uint64_t>(position.first_sample + b));
    for (Index i = 0; i < neurons; ++i) {
      Scalar& value = values[Lanes::index(i, b)];
      value = mix(sample ^ static_cast<std::uint64_t>(i)) < threshold ? Scalar(0) : value * scale;
    }
  }
}

}  // namespace elegans::detail
