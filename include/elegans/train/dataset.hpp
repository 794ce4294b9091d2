// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/mask.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/step_weights.hpp>

namespace elegans {

/// Which outputs of a sequence the loss compares with targets.
enum class LossOver {
  every_step,
  last_step  ///< the last step of each sample that its mask does not hide
};

/// Input sequences and their targets.
///
///     elegans::Dataset<float> data{.x = x, .y = y, .timespans = elegans::Timespans<float>(spans)};
template <typename Scalar>
struct Dataset {
  Sequence<Scalar> x;             ///< (time, samples, input_dim)
  Sequence<Scalar> y;             ///< (time, samples, targets), or (1, samples, targets) if only the last output counts
  Timespans<Scalar> timespans{};  ///< elapsed times, (time, samples), or (time, 1) for one per step; 1 by default
  Mask mask{};                    ///< steps that exist, (time, samples); all by default
  std::vector<Scalar> weights{};  ///< weight of each sample in the loss, at least 0; empty for 1 each

  [[nodiscard]] Index samples() const noexcept { return x.batch(); }
  /// True if the targets are for the last output only.
  [[nodiscard]] bool last_only() const noexcept { return y.time() == 1 && x.time() != 1; }
};

namespace detail {

/// True if the mask leaves a sample at least one step.
template <typename Scalar>
[[nodiscard]] bool has_any_step(const Dataset<Scalar>& data, Index sample) {
  for (Index t = 0; t < data.x.time(); ++t) {
    if (data.mask(t, sample)) return true;
  }
  return false;
}

/// \throws InvalidArgument if the parts do not fit each other
template <typename Scalar>
void check_dataset(const Dataset<Scalar>& data, const char* who) {
  const Index time = data.x.time(), samples = data.x.batch();
  if (time < 1 || samples < 1) {
    refuse(who, ": the data must have at least one step and one sample, got x (", time, ", ", samples, ", ",
           data.x.features(), ")");
  }
  if ((data.y.time() != time && data.y.time() != 1) || data.y.batch() != samples || data.y.features() < 1) {
    refuse(who, ": y must be (time, samples, targets) = (", time, " or 1, ", samples, ", at least 1), got (",
           data.y.time(), ", ", data.y.batch(), ", ", data.y.features(), ")");
  }
  data.timespans.require_shape(time, samples);
  data.mask.require_shape(time, samples);
  if (!data.weights.empty() && static_cast<Index>(data.weights.size()) != samples) {
    refuse(who, ": there must be one weight for each of ", samples, " samples, got ", data.weights.size());
  }
  for (const Scalar weight : data.weights) {
    if (!is_finite(weight) || weight < 0) {
      refuse(who, ": a sample's weight must be finite and at least 0, got ", weight);
    }
  }
}

/// Checks that there is something to take a loss over.
/// \throws InvalidArgument if no step of these samples counts
template <typename Scalar>
void require_weight(const Dataset<Scalar>& data, std::span<const Index> samples, const char* who) {
  bool has_weight = data.weights.empty(), has_step = data.mask.is_all();
  for (const Index sample : samples) {
    const bool weighs = data.weights.empty() || data.weights[static_cast<std::size_t>(sample)] > 0;
    const bool steps = has_any_step(data, sample);
    if (weighs && steps) return;
    has_weight = has_weight || weighs;
    has_step = has_step || steps;
  }
  refuse(who, ": no step of ", samples.size(), " samples counts, so there is no loss: ",
         !has_weight ? "every sample has weight 0"
         : !has_step ? "the mask hides every step"
                     : "each sample has weight 0, or a mask that hides every step");
}

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
    const auto batch = static_cast<Index>(samples.size());
    const auto copy = [&](const Sequence<Scalar>& from, Sequence<Scalar>& to, Index from_step, Index count) {
      to.resize(count, batch, from.features());
      for (Index t = 0; t < count; ++t) {
        const auto all = from.step(from_step + t);
        auto some = to.step(t);
        for (Index f = 0; f < from.features(); ++f) {
          for (Index b = 0; b < batch; ++b) some(b, f) = all(samples[static_cast<std::size_t>(b)], f);
        }
      }
    };
    copy(data.x, x, first, steps);
    copy(data.y, y, data.last_only() ? 0 : first, data.last_only() ? 1 : steps);
    context.timespans.gather(data.timespans, samples, first, steps);
    context.mask.gather(data.mask, samples, first, steps);
    weigh(data, samples, first, steps, over);
  }

 private:
  void weigh(const Dataset<Scalar>& data, std::span<const Index> samples, Index first, Index steps, LossOver over) {
    const Index time = data.x.time();
    const auto weight_of = [&](Index sample) {
      return data.weights.empty() ? Scalar(1) : data.weights[static_cast<std::size_t>(sample)];
    };
    // The model gives one output per sample: that of the last step that it takes.
    if (data.last_only()) {
      const bool here = first + steps == time;
      weights.set(1, y.batch(), [&](Index, Index b) {
        const Index sample = samples[static_cast<std::size_t>(b)];
        return here && has_any_step(data, sample) ? weight_of(sample) : Scalar(0);
      });
    } else if (over == LossOver::every_step && data.mask.is_all() && data.weights.empty()) {
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
        return counts ? weight_of(sample) : Scalar(0);
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

}  // namespace detail
}  // namespace elegans
