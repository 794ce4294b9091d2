// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

// mutate all: loss.step_weights
/// The weight of each step of each sample in a loss, (time, batch). The loss over a batch is the mean with these
/// weights. Within a batch, the weight of a masked step is 0.
///
///     Eigen::ArrayXf after_warm_up = Eigen::ArrayXf::Ones(100);
///     after_warm_up.head(20) = 0;  // the state settles first
///     data.step_weights = elegans::StepWeights<float>(after_warm_up);
template <typename Scalar>
class StepWeights {
 public:
  /// Weighs every step 1.
  StepWeights() = default;
  /// Weights of shape (time, 1) for all samples alike, or (time, samples).
  /// \throws InvalidArgument if one is negative or not finite
  template <typename Derived>
  explicit StepWeights(const Eigen::DenseBase<Derived>& weights) {
    set(weights.rows(), weights.cols(),
        [&](Index t, Index b) { return static_cast<Scalar>(weights.derived().coeff(t, b)); });
    for (const Scalar weight : values_) {
      if (!detail::is_finite(weight) || weight < Scalar(0)) {
        detail::refuse("a step's weight must be finite and at least 0, got ", weight);
      }
    }
  }

  void set_uniform() noexcept { uniform_ = true; }
  /// \param weight_of  (step, sample) -> weight, at least 0
  template <typename WeightOf>
  void set(Index time, Index batch, WeightOf weight_of) {
    uniform_ = false;
    time_ = time;
    batch_ = batch;
    total_ = Scalar(0);
    values_.resize(time * batch);
    for (Index t = 0; t < time; ++t) {
      for (Index b = 0; b < batch; ++b) total_ += values_[t * batch + b] = weight_of(t, b);
    }
  }

  [[nodiscard]] bool is_uniform() const noexcept { return uniform_; }
  /// The weight of a step of a sample.
  [[nodiscard]] Scalar operator()(Index t, Index b) const noexcept {
    return uniform_ ? Scalar(1) : values_[t * batch_ + (batch_ == 1 ? 0 : b)];
  }
  /// \throws InvalidArgument unless the weights are uniform, or of shape (time, samples) or (time, 1)
  void require_shape(Index time, Index samples) const {
    if (uniform_ || (time_ == time && (batch_ == samples || batch_ == 1))) return;
    detail::refuse("step_weights must be (time, samples) = (", time, ", ", samples, ") or (", time, ", 1), got (",
                   time_, ", ", batch_, ")");
  }
  /// The sum over all steps and samples of a batch.
  [[nodiscard]] Scalar total(Index time, Index batch) const noexcept {
    return uniform_ ? static_cast<Scalar>(time * batch) : total_;
  }
  /// The weights of step t, (batch); only if they are not uniform.
  [[nodiscard]] ConstVectorView<Scalar> step(Index t) const& noexcept { return {values_.data() + t * batch_, batch_}; }
  /// All weights, step after step; only if they are not uniform.
  [[nodiscard]] ConstVectorView<Scalar> values() const& noexcept { return {values_.data(), values_.size()}; }
  void step(Index) const&& = delete;
  void values() const&& = delete;

 private:
  bool uniform_ = true;
  Index time_ = 0;
  Index batch_ = 0;
  Scalar total_ = Scalar(0);
  Buffer<Scalar> values_;
};

}  // namespace elegans
