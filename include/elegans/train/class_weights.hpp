// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/cross_entropy.hpp>
#include <elegans/train/dataset.hpp>

namespace elegans {

// mutate all: train.class_weights
namespace detail {

/// The weight of the class that a target names.
/// \throws InvalidArgument if it names none that has a weight
template <typename Scalar>
[[nodiscard]] Scalar class_weight(const std::vector<Scalar>& weights, const Sequence<Scalar>& y, Index t, Index b) {
  if (weights.empty()) return Scalar(1);
  const auto classes = static_cast<Index>(weights.size());
  if (y.features() == 1) return weights[static_cast<std::size_t>(class_of(y(t, b, 0), classes))];
  if (y.features() != classes) {
    refuse("class_weights: there must be one weight for each of ", y.features(), " targets, got ", classes);
  }
  Index named = -1;
  for (Index f = 0; f < classes; ++f) {
    const Scalar target = y(t, b, f);
    if (target == Scalar(0)) continue;
    if (!(target == Scalar(1)) || named >= 0) {
      refuse("class_weights: a target must be 1 for its class and 0 for the others, got ", target, " for class ", f,
             named < 0 ? "" : concatenate(" beside 1 for class ", named));
    }
    named = f;
  }
  if (named < 0) refuse("class_weights: a target must be 1 for its class and 0 for the others, got 0 for all");
  return weights[static_cast<std::size_t>(named)];
}

}  // namespace detail

/// Class weights that make every class count alike, whatever its share of the targets: n / (k n_c) for class c, where n
/// steps count, n_c of them of class c. Mirrors scikit-learn's `compute_class_weight("balanced")`.
///
///     data.class_weights = elegans::balanced_class_weights(data, 3);
///
/// \param classes  the number of classes, k; targets are numbers from 0 to k - 1
/// \throws InvalidArgument if no step is of some class, or a target names none
template <typename Scalar>
[[nodiscard]] std::vector<Scalar> balanced_class_weights(const Dataset<Scalar>& data, Index classes) {
  detail::check_dataset(data, "balanced_class_weights");
  if (classes < 1 || data.y.features() != 1) {
    detail::refuse("balanced_class_weights: there must be a class and one target per step, got ", classes, " and ",
                   data.y.features());
  }
  std::vector<Index> counts(static_cast<std::size_t>(classes));
  Index steps = 0;
  for (Index b = 0; b < data.samples(); ++b) {
    for (Index t = 0; t < data.y.time(); ++t) {
      if (data.last_only() ? !detail::has_any_step(data, b) : !data.mask(t, b)) continue;
      ++counts[static_cast<std::size_t>(detail::class_of(data.y(t, b, 0), classes))];
      ++steps;
    }
  }
  std::vector<Scalar> weights;
  for (const Index count : counts) {
    if (count == 0) detail::refuse("balanced_class_weights: no target is of class ", weights.size());
    weights.push_back(static_cast<Scalar>(static_cast<double>(steps) / static_cast<double>(classes * count)));
  }
  return weights;
}

}  // namespace elegans
