// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <Eigen/Core>

#include <elegans/core/error.hpp>
#include <elegans/core/mask.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/dataset.hpp>

namespace elegans {

namespace detail {

// mutate all: train.time_series
/// Pieces of sequences: some steps in a row, of some samples.
struct Pieces {
  Index steps;       ///< of each piece
  Index per_sample;  ///< pieces of each sample
  Index first = 0;   ///< step at which the first piece begins
  Index stride = 0;  ///< steps from one piece to the next

  /// The pieces, one sample each: first all of the first sample, in the order of time.
  template <typename Scalar>
  [[nodiscard]] Sequence<Scalar> of(const Sequence<Scalar>& from) const {
    Sequence<Scalar> result(steps, from.batch() * per_sample, from.features());
    for (Index t = 0; t < steps; ++t) {
      auto to = result.step(t);
      for (Index k = 0; k < per_sample; ++k) {
        const auto step = from.step(first + k * stride + t);
        for (Index b = 0; b < from.batch(); ++b) to.row(b * per_sample + k) = step.row(b);
      }
    }
    return result;
  }

  /// The same for (time, samples) values. \param value  (step, sample) -> value
  template <typename Value>
  [[nodiscard]] auto of(Index samples, Value value) const {
    using Scalar = decltype(value(Index{0}, Index{0}));
    Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic> result(steps, samples * per_sample);
    for (Index t = 0; t < steps; ++t) {
      for (Index i = 0; i < result.cols(); ++i) {
        result(t, i) = value(first + i % per_sample * stride + t, i / per_sample);
      }
    }
    return result;
  }

  template <typename Scalar>
  [[nodiscard]] Dataset<Scalar> of(const Dataset<Scalar>& from) const {
    Dataset<Scalar> result = from;
    result.x = of(from.x);
    result.y = of(from.y);
    const auto elapsed = [&](Index t, Index b) { return from.timespans(t, b); };
    result.timespans = Timespans<Scalar>(of(from.samples(), elapsed));
    if (!from.mask.is_all()) {
      result.mask = Mask(of(from.samples(), [&](Index t, Index b) { return static_cast<int>(from.mask(t, b)); }));
    }
    if (!from.step_weights.is_uniform()) {
      const auto cut = of(from.samples(), [&](Index t, Index b) { return from.step_weights(t, b); });
      result.step_weights.set(steps, cut.cols(), [&](Index t, Index b) { return cut(t, b); });
    }
    result.weights.clear();
    for (const Scalar weight : from.weights) {
      for (Index k = 0; k < per_sample; ++k) result.weights.push_back(weight);
    }
    return result;
  }
};

/// \throws InvalidArgument if the parts of a data set do not fit each other, or if it has targets for the last step
/// only
template <typename Scalar>
void require_pieces(const Dataset<Scalar>& data, const char* who) {
  check_dataset(data, who);
  if (data.last_only()) refuse(who, ": needs a target for each step, got targets for the last step only");
}

/// \throws InvalidArgument if there is no such window
inline Pieces windows_of(Index time, Index length, Index stride) {
  if (length < 1 || length > time) {
    refuse("windows: length must be from 1 to the number of steps, ", time, ", got ", length);
  }
  if (stride < 1) refuse("windows: stride must be at least 1, got ", stride);
  return {.steps = length, .per_sample = (time - length) / stride + 1, .stride = stride};
}

/// \throws InvalidArgument unless there are steps before the time and from it on
inline std::pair<Pieces, Pieces> parts_of(Index steps, Index time) {
  if (time < 1 || time >= steps) refuse("split_at: time must be from 1 to ", steps - 1, ", got ", time);
  return {{.steps = time, .per_sample = 1}, {.steps = steps - time, .per_sample = 1, .first = time}};
}

}  // namespace detail

/// Cuts long sequences into windows, which may overlap: a sample each, first all of the first sequence, in the order of
/// time. Steps behind the last whole window are left out.
///
///     elegans::windows(x, 50, 10)   // steps 0 to 49, 10 to 59, 20 to 69, …
///
/// \param x       (time, batch, features), or a (time, features) matrix for one sequence
/// \param length  steps of a window
/// \param stride  steps from the beginning of a window to that of the next
/// \return  (length, batch x windows, features)
/// \throws InvalidArgument if the length is not in [1, time], or the stride is below 1
template <typename Scalar>
[[nodiscard]] Sequence<Scalar> windows(const Sequence<Scalar>& x, Index length, Index stride) {
  return detail::windows_of(x.time(), length, stride).of(x);
}
/// The same for a (time, features) matrix: one sequence.
template <typename Derived>
[[nodiscard]] Sequence<typename Derived::Scalar> windows(const Eigen::DenseBase<Derived>& x, Index length,
                                                         Index stride) {
  return windows(Sequence<typename Derived::Scalar>(x), length, stride);
}
/// The same for a data set: inputs, targets, elapsed times, mask, and weights of samples and steps.
/// \throws InvalidArgument besides, if its parts do not fit each other, or targets are for the last step only
template <typename Scalar>
[[nodiscard]] Dataset<Scalar> windows(const Dataset<Scalar>& data, Index length, Index stride) {
  detail::require_pieces(data, "windows");
  return detail::windows_of(data.x.time(), length, stride).of(data);
}

/// Splits sequences in time, as one splits a series into past and future: into the steps before `time`, and those from
/// it on.
///
///     auto [train, test] = elegans::split_at(data, 800);
///
/// \param time  number of steps in the first part
/// \throws InvalidArgument unless both parts have at least one step
template <typename Scalar>
[[nodiscard]] std::pair<Sequence<Scalar>, Sequence<Scalar>> split_at(const Sequence<Scalar>& x, Index time) {
  const auto [past, future] = detail::parts_of(x.time(), time);
  return {past.of(x), future.of(x)};
}
/// The same for a (time, features) matrix: one sequence.
template <typename Derived>
[[nodiscard]] auto split_at(const Eigen::DenseBase<Derived>& x, Index time) {
  return split_at(Sequence<typename Derived::Scalar>(x), time);
}
/// The same for a data set.
/// \throws InvalidArgument besides, if its parts do not fit each other, or targets are for the last step only
template <typename Scalar>
[[nodiscard]] std::pair<Dataset<Scalar>, Dataset<Scalar>> split_at(const Dataset<Scalar>& data, Index time) {
  detail::require_pieces(data, "split_at");
  const auto [past, future] = detail::parts_of(data.x.time(), time);
  return {past.of(data), future.of(data)};
}

}  // namespace elegans
