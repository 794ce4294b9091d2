// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

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

// mutate all: train.dataset
namespace detail {

/// Copies some samples of a sequence, over `steps` steps from `first` on.
template <typename Scalar>
void gather(const Sequence<Scalar>& from, std::span<const Index> samples, Index first, Index steps,
            Sequence<Scalar>& to) {
  const auto batch = static_cast<Index>(samples.size());
  to.resize(steps, batch, from.features());
  for (Index t = 0; t < steps; ++t) {
    const auto all = from.step(first + t);
    auto some = to.step(t);
    for (Index f = 0; f < from.features(); ++f) {
      for (Index b = 0; b < batch; ++b) some(b, f) = all(samples[static_cast<std::size_t>(b)], f);
    }
  }
}

}  // namespace detail

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
  StepWeights<Scalar> step_weights{};   ///< weight of each step in the loss, with the time of y; 1 by default
  std::vector<Scalar> class_weights{};  ///< weight of each class in the loss, at least 0; empty for 1 each. A target
                                        ///< is then the number of its class, or 1 for its class and 0 for the others

  [[nodiscard]] Index samples() const noexcept { return x.batch(); }
  /// True if the targets are for the last output only.
  [[nodiscard]] bool last_only() const noexcept { return y.time() == 1 && x.time() != 1; }

  /// Copies the samples with these numbers to another data set, whose memory is reused.
  void read(std::span<const Index> numbers, Dataset& part) const {
    const auto count = static_cast<Index>(numbers.size());
    detail::gather(x, numbers, 0, x.time(), part.x);
    detail::gather(y, numbers, 0, y.time(), part.y);
    part.timespans.gather(timespans, numbers, 0, x.time());
    part.mask.gather(mask, numbers, 0, x.time());
    part.weights.clear();
    for (const Index sample : numbers) {
      if (!weights.empty()) part.weights.push_back(weights[static_cast<std::size_t>(sample)]);
    }
    part.step_weights.set_uniform();
    if (!step_weights.is_uniform()) {
      part.step_weights.set(y.time(), count,
                            [&](Index t, Index b) { return step_weights(t, numbers[static_cast<std::size_t>(b)]); });
    }
    part.class_weights = class_weights;
  }
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
  const auto check_weights = [&](const char* whose, const std::vector<Scalar>& weights) {
    for (const Scalar weight : weights) {
      if (!is_finite(weight) || weight < 0) {
        refuse(who, ": a ", whose, "'s weight must be finite and at least 0, got ", weight);
      }
    }
  };
  check_weights("sample", data.weights);
  check_weights("class", data.class_weights);
  data.step_weights.require_shape(data.y.time(), samples);
}

/// True if some step of a sample exists and weighs something.
template <typename Scalar>
[[nodiscard]] bool has_step_that_weighs(const Dataset<Scalar>& data, Index sample) {
  if (data.last_only()) return has_any_step(data, sample) && data.step_weights(0, sample) > 0;
  for (Index t = 0; t < data.x.time(); ++t) {
    if (data.mask(t, sample) && data.step_weights(t, sample) > 0) return true;
  }
  return false;
}

/// Checks that there is something to take a loss over.
/// \throws InvalidArgument if no step of these samples counts
template <typename Scalar>
void require_weight(const Dataset<Scalar>& data, std::span<const Index> samples, const char* who) {
  bool has_weight = data.weights.empty(), has_step = data.mask.is_all() && data.step_weights.is_uniform();
  for (const Index sample : samples) {
    const bool weighs = data.weights.empty() || data.weights[static_cast<std::size_t>(sample)] > 0;
    const bool steps = has_step_that_weighs(data, sample);
    if (weighs && steps) return;
    has_weight = has_weight || weighs;
    has_step = has_step || steps;
  }
  refuse(who, ": no step of ", samples.size(), " samples counts, so there is no loss: ",
         !has_weight ? "every sample has weight 0"
         : !has_step
             ? data.step_weights.is_uniform() ? "the mask hides every step" : "every step is masked or has weight 0"
             : "each sample has weight 0, or a mask that hides every step");
}

}  // namespace detail
}  // namespace elegans
