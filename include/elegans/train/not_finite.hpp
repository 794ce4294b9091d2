// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/batch.hpp>
#include <elegans/train/parameter_groups.hpp>
#include <elegans/train/weighted_loss.hpp>

namespace elegans::detail {

/// Says in words why a batch has a loss that is not finite.
template <typename Scalar, int Units>
std::string why_not_finite(const Batch<Scalar, Units>& batch, const Sequence<Scalar>& prediction,
                           const BatchOrigin& origin) {
  const auto find = [&](const char* what, const Sequence<Scalar>& values, bool masked) -> std::string {
    for (Index t = 0; t < values.time(); ++t) {
      for (Index b = 0; b < values.batch(); ++b) {
        if (masked && !batch.context.mask(t, b)) continue;
        for (Index f = 0; f < values.features(); ++f) {
          if (is_finite(values(t, b, f))) continue;
          return concatenate(what, " is ", values(t, b, f), " at step ", origin.first_step + t, ", sample ",
                             origin.sample(b), ", feature ", f);
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

/// Names the first parameter that is not finite, with its value and its derivative.
template <typename Model>
std::string first_not_finite(const Model& model) {
  const auto parameters = model.parameters();
  Index i = 0;
  while (i + 1 < parameters.size() && is_finite(parameters[i])) ++i;
  return concatenate("parameter ", name_of_parameter(model, i), " became ", parameters[i], ", its derivative was ",
                     model.gradient()[i]);
}

}  // namespace elegans::detail
