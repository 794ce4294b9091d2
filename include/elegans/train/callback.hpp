// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <type_traits>

#include <elegans/train/history.hpp>

namespace elegans {

/// What a callback learns after each epoch. `metrics` views the history, and only until the callback returns.
template <typename Scalar>
struct Epoch {
  int number = 0;                                    ///< from 1 on
  int of = 0;                                        ///< the last epoch's number
  Scalar loss{};                                     ///< mean over the epoch's batches, each before its update
  std::optional<Scalar> validation_loss{};           ///< after the epoch, if there is validation data
  std::optional<Scalar> learning_rate{};             ///< of this epoch, if the optimizer has one
  std::span<const MetricHistory<Scalar>> metrics{};  ///< each metric, up to this epoch
};

/// A callback: `fit` calls it with each epoch. It stops the training if it returns false; it may also return nothing.
///
/// Optional: `finish()`, which `fit` calls when the training ends, even by an exception.
template <typename C, typename Scalar>
concept Callback = requires(C& callback, const Epoch<Scalar>& epoch) {
  callback(epoch);
  requires std::is_void_v<decltype(callback(epoch))> || std::convertible_to<decltype(callback(epoch)), bool>;
};

/// A callback that keeps a record, such as a file, and keeps it in step with the training. `CsvLog` satisfies it.
///
/// - `resume(history)`: the run goes on after the epochs of this history, so the record is to hold these
/// - `commit()`: the last epoch is complete; must not throw
/// - `roll_back()`: the last epoch failed, so the record is to forget it; must not throw
/// - `finish()`: no epoch follows; called once more if the last epoch is rolled back after it
template <typename C, typename Scalar>
concept Recorder = Callback<C, Scalar> && requires(C& recorder, const History<Scalar>& history) {
  recorder.resume(history);
  recorder.commit();
  recorder.roll_back();
  recorder.finish();
};

namespace detail {

/// False if the callback wants the training to stop.
template <typename C, typename Scalar>
bool wants_more(C& callback, const Epoch<Scalar>& epoch) {
  if constexpr (std::is_void_v<decltype(callback(epoch))>) {
    callback(epoch);
    return true;
  } else {
    return static_cast<bool>(callback(epoch));
  }
}

}  // namespace detail
}  // namespace elegans
