// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

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
  bool is_best = false;                              ///< better than all epochs before, by `FitOptions::min_delta`
};

/// What a callback learns after each batch.
template <typename Scalar>
struct BatchEnd {
  int epoch = 0;                          ///< from 1 on
  int number = 0;                         ///< of the batch in its epoch, from 1 on
  int of = 0;                             ///< batches in an epoch
  Scalar loss{};                          ///< mean over the batch, before its update
  std::optional<Scalar> learning_rate{};  ///< of this batch, if the optimizer has one
};

/// A callback: `fit` calls it with each epoch. It stops the training if it returns false; it may also return nothing.
///
/// Optional: `finish()`, which `fit` calls when the training ends, even by an exception.
template <typename C, typename Scalar>
concept Callback = requires(C& callback, const Epoch<Scalar>& epoch) {
  callback(epoch);
  requires std::is_void_v<decltype(callback(epoch))> || std::convertible_to<decltype(callback(epoch)), bool>;
};

/// A callback with the model in the hand: `on_epoch_end(model, epoch)`, called where a `Callback` is. It may predict,
/// change parameters by `model.update`, and stop the training by returning false. `on_epoch_end(function)` makes one.
template <typename C, typename Model>
concept EpochCallback = requires(C& callback, Model& model, const Epoch<typename Model::Scalar>& epoch) {
  callback.on_epoch_end(model, epoch);
};

/// The same after each batch: `on_batch_end(model, batch)`. If it returns false, the training ends after that epoch. A
/// callback that changes the model must do so in a way that depends on its arguments alone, for a resumed run to be the
/// same. `on_batch_end(function)` makes one.
template <typename C, typename Model>
concept BatchCallback = requires(C& callback, Model& model, const BatchEnd<typename Model::Scalar>& batch) {
  callback.on_batch_end(model, batch);
};

/// An `EpochCallback` that calls a function; made by `on_epoch_end`.
template <typename Function>
struct CallsOnEpochEnd {
  Function function;
  /// Calls the function.
  decltype(auto) on_epoch_end(auto& model, const auto& epoch) { return function(model, epoch); }
};
/// A `BatchCallback` that calls a function; made by `on_batch_end`.
template <typename Function>
struct CallsOnBatchEnd {
  Function function;
  /// Calls the function.
  decltype(auto) on_batch_end(auto& model, const auto& batch) { return function(model, batch); }
};

/// Calls a function after each epoch, as Keras' `LambdaCallback` does.
///
///     elegans::fit(model, data, optimizer, options, elegans::on_epoch_end([&](auto& net, const auto& epoch) {
///       std::cout << epoch.number << ": " << net(x).values().maxCoeff() << '\n';
///     }));
///
/// \param function  callable as function(Model&, const Epoch<Scalar>&); stops the training if it returns false
template <typename Function>
[[nodiscard]] CallsOnEpochEnd<Function> on_epoch_end(Function function) {
  return {std::move(function)};
}
/// Calls a function after each batch. \param function  callable as function(Model&, const BatchEnd<Scalar>&)
template <typename Function>
[[nodiscard]] CallsOnBatchEnd<Function> on_batch_end(Function function) {
  return {std::move(function)};
}

/// A callback that keeps a record, such as a file, and keeps it in step with the training. `CsvLog` satisfies it.
///
/// - `resume(history)`: the run goes on after the epochs of this history, so the record is to hold these
/// - `commit()`: the last epoch is complete; must not throw
/// - `roll_back()`: the last epoch failed, so the record is to forget it; must not throw
/// - `finish()`: no epoch follows; called once more if the last epoch is rolled back after it
template <typename C, typename Scalar>
concept Recorder = requires(C& recorder, const History<Scalar>& history) {
  recorder.resume(history);
  recorder.commit();
  recorder.roll_back();
  recorder.finish();
};

namespace detail {

/// Calls a callback. False if it wants the training to stop.
template <typename Call>
bool wants_more(Call call) {
  if constexpr (std::is_void_v<decltype(call())>) {
    call();
    return true;
  } else {
    return static_cast<bool>(call());
  }
}

}  // namespace detail
}  // namespace elegans
