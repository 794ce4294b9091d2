// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/train/cross_entropy.hpp>

namespace elegans {

/// Share of the right answers. With one output, the answer is whether the logit is above 0, and the target whether it
/// is above 1/2; with several, it is the largest output, and the target a class's number or the largest of as many.
struct Accuracy {
  static constexpr const char* name = "accuracy";

  static constexpr bool accepts(Index outputs, Index targets) { return targets == outputs || targets == 1; }

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
