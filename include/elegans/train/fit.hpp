// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>
#include <utility>

#include <elegans/core/sequence.hpp>
#include <elegans/train/concepts.hpp>
#include <elegans/train/dataset.hpp>
#include <elegans/train/fit_options.hpp>
#include <elegans/train/fit_run.hpp>
#include <elegans/train/history.hpp>

namespace elegans {

/// Trains a model.
///
///     elegans::Dataset<float> data{.x = x, .y = y, .mask = mask};
///     elegans::CsvLog log("training.csv");
///     auto history = elegans::fit(model, data, elegans::Adam<float>({.learning_rate = 0.01f}),
///                                 {.epochs = 200, .batch_size = 16, .validation_split = 0.1, .patience = 20},
///                                 elegans::BinaryCrossEntropy{}, elegans::Accuracy{}, log);
///
/// The same seed gives the same run.
///
/// \param optimizer  a copy is used; pass `std::ref` of one to keep its state for a later call
/// \param extras     in any order: a `LossFunction` (without one, `MeanSquaredError`; further ones are reported), each
///                   `Metric` to report, each `Callback` to call after an epoch, a `Checkpointer`
/// \return what happened, epoch by epoch, and what ended it
/// \throws InvalidArgument if a shape differs or an option is out of range
/// \throws RuntimeError    if the loss is not finite: says where; the model then holds the last parameters with a
///                         finite loss
template <TrainableModel Model, typename Optimize, typename... Extras>
  requires Optimizer<std::unwrap_reference_t<Optimize>, typename Model::Scalar>
History<typename Model::Scalar> fit(Model& model, const Dataset<typename Model::Scalar>& data, Optimize optimizer,
                                    const FitOptions<typename Model::Scalar>& options = {}, Extras&&... extras) {
  std::unwrap_reference_t<Optimize>& descend = optimizer;
  return detail::FitRun<Model, std::unwrap_reference_t<Optimize>, std::remove_reference_t<Extras>...>(
             model, data, descend, options, extras...)
      .run();
}

/// The same for sequences without elapsed times, mask and weights.
///
///     auto history = elegans::fit(model, x, y, elegans::Adam<float>({.learning_rate = 0.01f}), {.epochs = 400});
///
/// \param x  (time, samples, input_dim), or a (time, input_dim) matrix for one sequence
/// \param y  (time, samples, targets), or (1, samples, targets) for a model that gives its last output only
template <TrainableModel Model, typename Optimize, typename... Extras>
  requires Optimizer<std::unwrap_reference_t<Optimize>, typename Model::Scalar>
History<typename Model::Scalar> fit(Model& model, const Sequence<typename Model::Scalar>& x,
                                    const Sequence<typename Model::Scalar>& y, Optimize optimizer,
                                    const FitOptions<typename Model::Scalar>& options = {}, Extras&&... extras) {
  return fit(model, Dataset<typename Model::Scalar>{.x = x, .y = y}, std::move(optimizer), options, extras...);
}

}  // namespace elegans
