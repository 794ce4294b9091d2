// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/train/cross_entropy.hpp>

namespace elegans {

// mutate all: loss.accuracy
namespace detail {

/// What a classifier answers, and what it should: numbers of classes.
struct Answer {
  Index given = 0;
  Index wanted = 0;
};

/// With one output, class 1 is given if the logit is above 0, and wanted if the target is above 1/2.
template <typename Scalar>
Answer answer_of(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, Index row) {
  if (prediction.cols() == 1) return {prediction(row, 0) > Scalar(0), target(row, 0) > Scalar(0.5)};
  Answer answer;
  prediction.row(row).maxCoeff(&answer.given);
  if (target.cols() == 1) {
    answer.wanted = class_of(target(row, 0), prediction.cols());
  } else {
    target.row(row).maxCoeff(&answer.wanted);
  }
  return answer;
}

/// The targets of a classifier: one value per output, or the number of a class.
struct ClassTargets {
  static constexpr bool accepts(Index outputs, Index targets) { return targets == outputs || targets == 1; }
  template <typename Scalar>
  static const char* wanted_target(Scalar target, Index outputs, Index targets) {
    if (targets != 1 || outputs == 1) return nullptr;
    return is_class(target, outputs) ? nullptr : "the number of a class, from 0 to the outputs less 1";
  }
};

}  // namespace detail

/// The share of right answers.
///
/// With one output, the model answers yes if the logit is above 0; yes is right if the target is above 1/2. With
/// several outputs, the model answers with the largest one; the target is the number of the right class, or one value
/// per class, of which the largest is right.
struct Accuracy : detail::ClassTargets {
  static constexpr const char* name = "accuracy";

  template <typename Scalar, typename Weights>
  Scalar operator()(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, const Weights& weight) const {
    Scalar right(0);
    for (Index row = 0; row < prediction.rows(); ++row) {
      const Scalar w = weight.coeff(row);
      if (w == Scalar(0)) continue;
      const detail::Answer answer = detail::answer_of<Scalar>(prediction, target, row);
      if (answer.given == answer.wanted) right += w;
    }
    return right;
  }
};

}  // namespace elegans
