// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/train/cross_entropy.hpp>

namespace elegans {

// mutate all: loss.accuracy
/// The share of right answers.
///
/// With one output, the model answers yes if the logit is above 0; yes is right if the target is above 1/2. With
/// several outputs, the model answers with the largest one; the target is the number of the right class, or one value
/// per class, of which the largest is right.
struct Accuracy {
  static constexpr const char* name = "accuracy";

  static constexpr bool accepts(Index outputs, Index targets) { return targets == outputs || targets == 1; }
  template <typename Scalar>
  static const char* wanted_target(Scalar target, Index outputs, Index targets) {
    if (targets != 1 || outputs == 1) return nullptr;
    return detail::is_class(target, outputs) ? nullptr : "the number of a class, from 0 to the outputs less 1";
  }

  template <typename Scalar, typename Weights>
  Scalar operator()(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, const Weights& weight) const {
    Scalar right(0);
    for (Index row = 0; row < prediction.rows(); ++row) {
      const Scalar w = weight.coeff(row);
      if (w != Scalar(0) && is_right<Scalar>(prediction, target, row)) right += w;
    }
    return right;
  }

 private:
  template <typename Scalar>
  static bool is_right(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, Index row) {
    if (prediction.cols() == 1) return (prediction(row, 0) > Scalar(0)) == (target(row, 0) > Scalar(0.5));
    Index answer = 0;
    prediction.row(row).maxCoeff(&answer);
    if (target.cols() == 1) return answer == detail::class_of(target(row, 0), prediction.cols());
    Index wanted = 0;
    target.row(row).maxCoeff(&wanted);
    return answer == wanted;
  }
};

}  // namespace elegans
