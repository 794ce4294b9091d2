// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

// Losses of classifiers. They take logits, the values before a sigmoid or softmax, and apply that themselves, so that
// they never take the logarithm of 0. For the arguments see `LossFunction`.

// mutate all: loss.cross_entropy
namespace detail {

template <typename Scalar>
bool is_probability(Scalar target) {
  return !is_nan(target) && target >= 0 && target <= 1;
}

/// True for a whole number from 0 to `classes` - 1.
template <typename Scalar>
bool is_class(Scalar target, Index classes) {
  return !is_nan(target) && target >= 0 && target < static_cast<Scalar>(classes) && target == std::floor(target);
}

/// The class that a target names. \throws InvalidArgument unless it is a whole number below `classes`
template <typename Scalar>
Index class_of(Scalar target, Index classes) {
  if (!is_class(target, classes)) {
    refuse("a target that names a class must be a whole number in [0, ", classes - 1, "], got ", target);
  }
  return static_cast<Index>(target);
}

}  // namespace detail

/// The loss of yes-no questions, one per output: the mean over the outputs of -y log p - (1 - y) log(1 - p), where
/// p = sigmoid(logit). Targets are probabilities, in [0, 1]. Mirrors `torch.nn.BCEWithLogitsLoss`.
struct BinaryCrossEntropy {
  static constexpr const char* name = "binary_cross_entropy";

  template <typename Scalar>
  static const char* wanted_target(Scalar target, Index, Index) {
    return detail::is_probability(target) ? nullptr : "in [0, 1]";
  }

  template <typename Scalar, typename Weights>
  Scalar operator()(ConstArrayView<Scalar> logits, ConstArrayView<Scalar> target, const Weights& weight,
                    ArrayView<Scalar> d_logits) const {
    const Scalar scale = Scalar(1) / static_cast<Scalar>(logits.cols());
    Scalar loss(0);
    for (Index f = 0; f < logits.cols(); ++f) {
      const auto z = logits.col(f);
      const auto y = target.col(f);
      // Eigen's log1p adds 1 and subtracts it again, and -fassociative-math cancels that.
      const auto log_1_plus = [](Scalar value) { return std::log1p(value); };
      loss += (((z.max)(Scalar(0)) - z * y + (-(z.abs)()).exp().unaryExpr(log_1_plus)) * weight).sum();
      d_logits.col(f) = (z.logistic() - y) * weight * scale;
    }
    return loss * scale;
  }
};

/// The loss of one choice among as many classes as there are outputs: -sum_c y_c log softmax(logits)_c.
///
/// The target of a row is the number of its class, or one probability per class. Mirrors `torch.nn.CrossEntropyLoss`.
struct SoftmaxCrossEntropy {
  static constexpr const char* name = "softmax_cross_entropy";

  static constexpr bool accepts(Index outputs, Index targets) { return targets == outputs || targets == 1; }
  template <typename Scalar>
  static const char* wanted_target(Scalar target, Index outputs, Index targets) {
    if (targets == 1 && outputs > 1) {
      return detail::is_class(target, outputs) ? nullptr : "the number of a class, from 0 to the outputs less 1";
    }
    return detail::is_probability(target) ? nullptr : "a probability, in [0, 1]";
  }

  template <typename Scalar, typename Weights>
  Scalar operator()(ConstArrayView<Scalar> logits, ConstArrayView<Scalar> target, const Weights& weight,
                    ArrayView<Scalar> d_logits) const {
    const bool numbers = target.cols() == 1 && logits.cols() > 1;
    Scalar loss(0);
    for (Index row = 0; row < logits.rows(); ++row) {
      const Scalar w = weight.coeff(row);
      auto d = d_logits.row(row);
      // A masked step may hold anything.
      if (w == Scalar(0)) {
        d.setZero();
        continue;
      }
      const auto z = logits.row(row);
      const Scalar largest = z.maxCoeff();
      d = (z - largest).exp();
      const Scalar sum = d.sum();
      const Scalar log_sum = largest + std::log(sum);
      if (numbers) {
        const Index chosen = detail::class_of(target(row, 0), logits.cols());
        loss += w * (log_sum - z[chosen]);
        d *= w / sum;
        d[chosen] -= w;
      } else {
        const auto y = target.row(row);
        const Scalar mass = y.sum();
        loss += w * (mass * log_sum - (y * z).sum());
        d = w * (d * (mass / sum) - y);
      }
    }
    return loss;
  }
};

}  // namespace elegans
