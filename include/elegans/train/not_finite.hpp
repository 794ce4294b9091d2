// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <span>
#include <string>

#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/train/dataset.hpp>

namespace elegans::detail {

/// In words, why a batch has a loss that is not finite.
///
/// \param samples  numbers of its samples in the data
/// \param first    number of its first step in the sequence
template <typename Scalar, int Units>
std::string why_not_finite(const Batch<Scalar, Units>& batch, const Sequence<Scalar>& prediction,
                           std::span<const Index> samples, Index first) {
  const auto find = [&](const char* what, const Sequence<Scalar>& values, bool masked) -> std::string {
    for (Index t = 0; t < values.time(); ++t) {
      for (Index b = 0; b < values.batch(); ++b) {
        if (masked && !batch.context.mask(t, b)) continue;
        for (Index f = 0; f < values.features(); ++f) {
          if (std::isfinite(values(t, b, f))) continue;
          return concatenate(what, " is ", values(t, b, f), " at step ", first + t, ", sample ",
                             samples[static_cast<std::size_t>(b)], ", feature ", f);
        }
      }
    }
    return {};
  };
  for (const std::string& cause :
       {find("x", batch.x, true), find("y", batch.y, false), find("the prediction", prediction, false)}) {
    if (!cause.empty()) return cause;
  }
  return "x, y and the predictions are finite, their loss is not";
}

}  // namespace elegans::detail
