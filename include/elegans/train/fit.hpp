// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <type_traits>
#include <utility>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/train/callback.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/loss.hpp>
#include <elegans/train/progress_bar.hpp>

namespace elegans {

/// How `fit` goes about it.
struct FitOptions {
  int epochs = 1;             ///< passes over the data, at least 0
  bool show_progress = true;  ///< a progress bar on standard error, where that is a terminal; else nothing
};

/// Does one update from a whole batch: forward, loss, backward, optimizer, constraints.
///
/// \param d_prediction  room for the loss' derivative: kept by the caller so that nothing is allocated a second time
/// \return the loss before the update; if it is not finite, there was no update
/// \throws InvalidArgument if y is not of the shape of the prediction
template <TrainableModel Model, typename Optimize, typename Loss = MeanSquaredError>
requires Optimizer<Optimize, typename Model::Scalar> && LossFunction<Loss, typename Model::Scalar>
typename Model::Scalar train_step(Model& model, const Sequence<typename Model::Scalar>& x,
                                  const Sequence<typename Model::Scalar>& y, Optimize& optimizer,
                                  Sequence<typename Model::Scalar>& d_prediction, const Loss& loss_function = {}) {
  using Scalar = typename Model::Scalar;
  const Sequence<Scalar>& prediction = model.forward(x);
  if (y.time() != prediction.time() || y.batch() != prediction.batch() || y.features() != prediction.features()) {
    detail::refuse("train: y must be (time, batch, outputs) = (", prediction.time(), ", ", prediction.batch(), ", ",
                   prediction.features(), "), got (", y.time(), ", ", y.batch(), ", ", y.features(), ")");
  }
  d_prediction.resize(y.time(), y.batch(), y.features());
  const Scalar loss = loss_function(prediction, y, d_prediction);
  if (!std::isfinite(loss)) return loss;
  model.backward(d_prediction);
  model.update([&](VectorView<Scalar> parameters) { optimizer.step(parameters, model.gradient()); });
  return loss;
}

/// Trains a model on one batch of sequences: an update an epoch.
///
///     auto history = elegans::fit(model, x, y, elegans::Adam<float>({.learning_rate = 0.01f}), {.epochs = 400});
///
/// \param x          (time, batch, input_dim), or a (time, input_dim) matrix for one sequence
/// \param y          (time, batch, output_dim), or (1, batch, output_dim) for a model that gives its last output only
/// \param optimizer  a copy is used; pass `std::ref` of one to keep its state for a later call
/// \param callbacks  called after each epoch, see `Callback`
/// \return the losses, and what ended it
/// \throws InvalidArgument if a shape differs, or epochs is negative
/// \throws RuntimeError    if the loss is not finite: the model then holds the last parameters with a finite loss
template <TrainableModel Model, typename Optimize, typename... Callbacks>
requires Optimizer < std::unwrap_reference_t<Optimize>,
typename Model::Scalar > &&(Callback<Callbacks, typename Model::Scalar>&&...)History<typename Model::Scalar> fit(
                             Model& model, const Sequence<typename Model::Scalar>& x,
                             const Sequence<typename Model::Scalar>& y, Optimize optimizer,
                             const FitOptions& options = {}, Callbacks&&... callbacks) {
  using Scalar = typename Model::Scalar;
  if (options.epochs < 0) detail::refuse("fit: epochs must be at least 0, got ", options.epochs);
  std::unwrap_reference_t<Optimize>& descend = optimizer;
  const bool show = options.show_progress && is_terminal(stderr);
  ProgressBar progress;
  History<Scalar> history;
  // Not all of them at once: who stops by callback may ask for any number of epochs.
  history.loss.reserve(static_cast<std::size_t>(std::min(options.epochs, 1 << 16)));
  Sequence<Scalar> d_prediction;
  Buffer<Scalar> current(model.parameters().size());
  Buffer<Scalar> last_good(model.parameters().size());
  [[maybe_unused]] const auto goes_on = [](auto& callback, const Epoch<Scalar>& epoch) {
    if constexpr (std::is_void_v<std::invoke_result_t<decltype(callback), const Epoch<Scalar>&>>) {
      callback(epoch);
      return true;
    } else {
      return static_cast<bool>(callback(epoch));
    }
  };
  for (int number = 1; number <= options.epochs; ++number) {
    VectorView<Scalar>(current.data(), current.size()) = model.parameters();
    const Epoch<Scalar> epoch{number, options.epochs, train_step(model, x, y, descend, d_prediction)};
    if (!std::isfinite(epoch.loss)) {
      if (number > 1)
        model.update([&](auto all) { all = ConstVectorView<Scalar>(last_good.data(), last_good.size()); });
      progress.finish();
      detail::fail("fit: the loss became ", epoch.loss, " in epoch ", number, " of ", options.epochs,
                   "; the model holds the parameters of the epoch before");
    }
    std::swap(current, last_good);
    history.loss.push_back(epoch.loss);
    if (show) progress(epoch);
    // Every callback sees every epoch, also after one that stops.
    bool on = true;
    ((on = goes_on(callbacks, epoch) && on), ...);
    if (!on) {
      history.stopped_by = StopReason::callback;
      break;
    }
  }
  progress.finish();
  return history;
}

}  // namespace elegans
