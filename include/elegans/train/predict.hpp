// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/core/types.hpp>
#include <elegans/train/concepts.hpp>

namespace elegans {

namespace detail {

/// The context of a model's sequences.
template <typename Model>
using ContextFor = Context<typename Model::Scalar, Model::state_size_at_compile_time>;

}  // namespace detail

// mutate all: train.predict
/// The outputs for many sequences, computed some samples at a time, so that the model's workspace stays small.
///
///     elegans::Sequence<float> y = elegans::predict(model, x, 64);
///
/// \param model       a model, or a `Session` of one
/// \param x           (time, samples, input_dim)
/// \param batch_size  samples at a time, at least 1
/// \param context     elapsed times, initial state and mask of all samples, as for `model(x, context)`
/// \return  (time, samples, output_dim), or (1, samples, output_dim) of a model that returns its last output only
/// \throws InvalidArgument if a shape differs, or batch_size is below 1
template <PredictingModel Model>
[[nodiscard]] Sequence<typename Model::Scalar> predict(Model& model, const Sequence<typename Model::Scalar>& x,
                                                       Index batch_size,
                                                       const detail::ContextFor<Model>& context = {}) {
  using Scalar = typename Model::Scalar;
  if (batch_size < 1) detail::refuse("predict: batch_size must be at least 1, got ", batch_size);
  if (x.batch() < 1) detail::refuse("predict: x must have at least one sample, got none");
  context.timespans.require_shape(x.time(), x.batch());
  context.mask.require_shape(x.time(), x.batch());
  if (context.initial_state && context.initial_state->batch() != x.batch()) {
    detail::refuse("predict: the initial state must have ", x.batch(), " samples, got ",
                   context.initial_state->batch());
  }
  Sequence<Scalar> result, part;
  detail::ContextFor<Model> of_part;
  std::vector<Index> samples;
  for (Index first = 0; first < x.batch(); first += batch_size) {
    const Index count = (std::min)(batch_size, x.batch() - first);
    samples.resize(static_cast<std::size_t>(count));
    std::iota(samples.begin(), samples.end(), first);
    part.resize(x.time(), count, x.features());
    for (Index t = 0; t < x.time(); ++t) part.step(t) = x.step(t).middleRows(first, count);
    of_part.timespans.gather(context.timespans, samples, 0, x.time());
    of_part.mask.gather(context.mask, samples, 0, x.time());
    if (context.initial_state) {
      of_part.initial_state.emplace(count, context.initial_state->units());
      of_part.initial_state->array() = context.initial_state->array().middleRows(first, count);
    }
    const Sequence<Scalar> y = model(part, of_part);
    if (first == 0) result.resize(y.time(), x.batch(), y.features());
    for (Index t = 0; t < y.time(); ++t) result.step(t).middleRows(first, count) = y.step(t);
  }
  return result;
}

/// Continues sequences in closed loop: the model reads the past, and then its own outputs as inputs.
///
///     elegans::Sequence<float> future = elegans::forecast(model, past, 20);   // (20, batch, features)
///
/// The first step of the result is the output for the last step of the past. So train a model to predict the next step.
/// Behind a layer that returns its last output only, a stack may have layers without memory.
///
/// \param model         a model with as many outputs as inputs, or a `Session` of one
/// \param past          (time, batch, features), or a (time, features) matrix for one sequence
/// \param steps         number of steps to forecast, at least 1
/// \param context       elapsed times and initial state of the past; a mask must leave the last step of every sample
/// \param elapsed_time  of the steps behind the past
/// \return  (steps, batch, features)
/// \throws InvalidArgument if a shape differs, if the mask hides a last step, or if steps or the time is out of range
template <PredictingModel Model>
[[nodiscard]] Sequence<typename Model::Scalar> forecast(
    Model& model, const Sequence<typename Model::Scalar>& past, Index steps,
    const detail::ContextFor<Model>& context = {}, typename Model::Scalar elapsed_time = typename Model::Scalar(1)) {
  using Scalar = typename Model::Scalar;
  static_assert(!requires { requires !Model::is_causal; }, "elegans::forecast: the model reads steps that come later");
  if (steps < 1) detail::refuse("forecast: steps must be at least 1, got ", steps);
  context.mask.require_shape(past.time(), past.batch());
  for (Index b = 0; b < past.batch(); ++b) {
    if (!context.mask(past.time() - 1, b)) detail::refuse("forecast: the mask hides the last step of sample ", b);
  }
  detail::ContextFor<Model> next;
  next.timespans = Timespans<Scalar>(elapsed_time);
  Sequence<Scalar> y = model(past, context);
  if (y.features() != past.features()) {
    detail::refuse("forecast: the model must have as many outputs as inputs, got ", y.features(), " outputs and ",
                   past.features(), " inputs");
  }
  Sequence<Scalar> result(steps, past.batch(), past.features()), now(1, past.batch(), past.features());
  for (Index t = 0; t < steps; ++t) {
    result.step(t) = y.step(y.time() - 1);
    if (t + 1 == steps) break;
    now.step(0) = result.step(t);
    next.initial_state = model.final_state();
    y = model(now, next);
  }
  return result;
}

}  // namespace elegans
