// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

// Losses of real values; for the arguments see `LossFunction`. A loss returns a weighted sum over the rows. Its caller
// makes that a mean, by weights that add up to 1.

// mutate all: loss.regression
/// The mean over the outputs of the squared errors. Mirrors `torch.nn.MSELoss`.
struct MeanSquaredError {
  static constexpr const char* name = "mean_squared_error";

  template <typename Scalar, typename Weights>
  Scalar operator()(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, const Weights& weight,
                    ArrayView<Scalar> d_prediction) const {
    const Scalar scale = Scalar(1) / static_cast<Scalar>(prediction.cols());
    Scalar loss(0);
    for (Index f = 0; f < prediction.cols(); ++f) {
      auto d = d_prediction.col(f);
      d = prediction.col(f) - target.col(f);
      loss += (d.square() * weight).sum();
      d *= weight * (Scalar(2) * scale);
    }
    return loss * scale;
  }
};

/// The mean over the outputs of the absolute errors. Mirrors `torch.nn.L1Loss`.
struct MeanAbsoluteError {
  static constexpr const char* name = "mean_absolute_error";

  template <typename Scalar, typename Weights>
  Scalar operator()(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, const Weights& weight,
                    ArrayView<Scalar> d_prediction) const {
    const Scalar scale = Scalar(1) / static_cast<Scalar>(prediction.cols());
    Scalar loss(0);
    for (Index f = 0; f < prediction.cols(); ++f) {
      auto d = d_prediction.col(f);
      d = prediction.col(f) - target.col(f);
      loss += ((d.abs)() * weight).sum();
      d = d.sign() * weight * scale;
    }
    return loss * scale;
  }
};

/// Squared near the target and absolute further away: the mean over the outputs of e^2 / 2 for an error |e| <= delta,
/// else delta (|e| - delta / 2). Huber, Annals of Mathematical Statistics 1964; mirrors `torch.nn.HuberLoss`.
class Huber {
 public:
  static constexpr const char* name = "huber";

  /// A loss that is quadratic up to `delta` and linear beyond.
  /// \throws InvalidArgument unless delta is finite and above 0
  explicit Huber(double delta = 1) : delta_(delta) {
    if (!detail::is_finite(delta) || delta <= 0) detail::refuse("Huber: delta must be finite and above 0, got ", delta);
  }

  [[nodiscard]] double delta() const noexcept { return delta_; }

  template <typename Scalar, typename Weights>
  Scalar operator()(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, const Weights& weight,
                    ArrayView<Scalar> d_prediction) const {
    const Scalar scale = Scalar(1) / static_cast<Scalar>(prediction.cols());
    const auto limit = static_cast<Scalar>(delta_);
    Scalar loss(0);
    for (Index f = 0; f < prediction.cols(); ++f) {
      auto d = d_prediction.col(f);
      d = prediction.col(f) - target.col(f);
      // With c the error clipped to delta, both branches are c e - c^2 / 2, and the derivative is c.
      const auto clipped = ((d.max)(-limit).min)(limit);
      loss += ((clipped * d - clipped.square() * Scalar(0.5)) * weight).sum();
      d = ((d.max)(-limit).min)(limit)*weight * scale;
    }
    return loss * scale;
  }

 private:
  double delta_;
};

}  // namespace elegans
