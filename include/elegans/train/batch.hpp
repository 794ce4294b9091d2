// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include <elegans/core/context.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/class_weights.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/step_weights.hpp>

namespace elegans::detail {

// mutate all: train.batch
/// Some samples of a data set, over some of its steps. Its memory is reused from batch to batch.
template <typename Scalar, int Units>
struct Batch {
  Sequence<Scalar> x, y;
  Context<Scalar, Units> context;
  StepWeights<Scalar> weights;
  Scalar total = Scalar(0);  ///< sum of the weights; 0 if none of these steps counts

  /// Copies the samples with these numbers, over `steps` steps from `first` on.
  void gather(const Dataset<Scalar>& data, std::span<const Index> samples, Index first, Index steps, LossOver over) {
    detail::gather(data.x, samples, first, steps, x);
    detail::gather(data.y, samples, data.last_only() ? 0 : first, data.last_only() ? 1 : steps, y);
    context.timespans.gather(data.timespans, samples, first, steps);
    context.mask.gather(data.mask, samples, first, steps);
    weigh(data, samples, first, steps, over);
  }

 private:
  void weigh(const Dataset<Scalar>& data, std::span<const Index> samples, Index first, Index steps, LossOver over) {
    const Index time = data.x.time();
    // Step t of sample b in this batch, which is step `step` of `sample` in the data.
    const auto weight_of = [&](Index t, Index b, Index step, Index sample) {
      const Scalar of_sample = data.weights.empty() ? Scalar(1) : data.weights[static_cast<std::size_t>(sample)];
      return of_sample * data.step_weights(step, sample) * class_weight(data.class_weights, y, t, b);
    };
    // The model gives one output per sample: that of the last step that it takes.
    if (data.last_only()) {
      const bool here = first + steps == time;
      weights.set(1, y.batch(), [&](Index, Index b) {
        const Index sample = samples[static_cast<std::size_t>(b)];
        return here && has_any_step(data, sample) ? weight_of(0, b, 0, sample) : Scalar(0);
      });
    } else if (over == LossOver::every_step && data.mask.is_all() && data.weights.empty() &&
               data.step_weights.is_uniform() && data.class_weights.empty()) {
      weights.set_uniform();
    } else {
      const auto last_of = [&](Index sample) {
        Index last = time - 1;
        while (last > 0 && !data.mask(last, sample)) --last;
        return last;
      };
      weights.set(steps, y.batch(), [&](Index t, Index b) {
        const Index sample = samples[static_cast<std::size_t>(b)];
        const bool counts =
            data.mask(first + t, sample) && (over == LossOver::every_step || first + t == last_of(sample));
        return counts ? weight_of(t, b, first + t, sample) : Scalar(0);
      });
    }
    total = weights.total(y.time(), y.batch());
    if (weights.is_uniform()) return;
    // A target that does not count may be anything, even NaN, and NaN times a weight of 0 would still be NaN.
    for (Index t = 0; t < y.time(); ++t) {
      for (Index b = 0; b < y.batch(); ++b) {
        if (weights.step(t)[b] != Scalar(0)) continue;
        for (Index f = 0; f < y.features(); ++f) y(t, b, f) = Scalar(0);
      }
    }
  }
};

}  // namespace elegans::detail
