// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/buffer.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

// mutate all: loss.step_weights
/// The weight of each step of each sample in a loss, (time, batch): 0 for a masked step, else its sample's weight. The
/// loss over a batch is the mean with these weights.
template <typename Scalar>
class StepWeights {
 public:
  /// Weighs every step 1.
  StepWeights() = default;

  void set_uniform() noexcept { uniform_ = true; }
  /// \param weight_of  (step, sample) -> weight, at least 0
  template <typename WeightOf>
  void set(Index time, Index batch, WeightOf weight_of) {
    uniform_ = false;
    batch_ = batch;
    total_ = Scalar(0);
    values_.resize(time * batch);
    for (Index t = 0; t < time; ++t) {
      for (Index b = 0; b < batch; ++b) total_ += values_[t * batch + b] = weight_of(t, b);
    }
  }

  [[nodiscard]] bool is_uniform() const noexcept { return uniform_; }
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
  Index batch_ = 0;
  Scalar total_ = Scalar(0);
  Buffer<Scalar> values_;
};

}  // namespace elegans
