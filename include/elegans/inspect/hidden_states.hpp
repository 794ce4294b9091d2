// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/sequential.hpp>

namespace elegans {

/// The context of a layer's sequences.
template <typename Layer>
using ContextOf = Context<typename Layer::Scalar, Layer::state_size_at_compile_time>;

// Declared before any is defined, because stacks may contain each other.
template <AnyLayer Layer>
[[nodiscard]] auto hidden_states(const Layer& layer, const Sequence<typename Layer::Scalar>& x,
                                 const ContextOf<Layer>& context = {}) -> Sequence<typename Layer::Scalar>;
template <AnyLayer... Layers>
[[nodiscard]] auto hidden_states(const Sequential<Layers...>& model,
                                 const Sequence<typename Sequential<Layers...>::Scalar>& x,
                                 const ContextOf<Sequential<Layers...>>& context = {})
    -> Sequence<typename Sequential<Layers...>::Scalar>;
template <AnyLayer Layer>
[[nodiscard]] auto hidden_states(const Bidirectional<Layer>& model, const Sequence<typename Layer::Scalar>& x,
                                 const ContextOf<Bidirectional<Layer>>& context = {})
    -> Sequence<typename Layer::Scalar>;

namespace detail {

/// \throws InvalidArgument if there is an initial state of another shape
template <typename Model>
void require_initial_state(const Model& model, const ContextOf<Model>& context, Index batch) {
  if (!context.initial_state) return;
  const auto& state = *context.initial_state;
  if (state.batch() == batch && state.units() == model.state_size()) return;
  refuse("hidden_states: the initial state must be (batch, state_size) = (", batch, ", ", model.state_size(),
         "), got (", state.batch(), ", ", state.units(), ")");
}

/// The context of one of several layers, with its columns of the initial state.
template <typename Part, typename Whole>
ContextOf<Part> part_of_context(const Part& layer, const ContextOf<Whole>& context, Index first) {
  ContextOf<Part> part{context.timespans, {}, context.mask};
  if (context.initial_state) {
    part.initial_state.emplace(context.initial_state->batch(), layer.state_size());
    part.initial_state->array() = context.initial_state->array().middleCols(first, layer.state_size());
  }
  return part;
}

template <typename Scalar>
Sequence<Scalar> time_reversed(const Sequence<Scalar>& x) {
  Sequence<Scalar> result(x.time(), x.batch(), x.features());
  for (Index t = 0; t < x.time(); ++t) result.step(x.time() - 1 - t) = x.step(t);
  return result;
}

}  // namespace detail

/// The state of a layer after each step, for plots and probes: (time, batch, state_size).
///
///     elegans::Sequence<float> states = elegans::hidden_states(model, x);
///     float v = states(t, b, neuron);   // membrane potential after step t; the last step's are model.final_state()
/// It works for every layer, a user's own included. A layer without memory has (time, batch, 0). With mixed memory, the
/// state of a sample is (h, c) side by side. A masked step leaves the state as it is.
///
/// \param x        (time, batch, input_dim), or a (time, input_dim) matrix for one sequence
/// \param context  elapsed times, initial state and mask, as for a forward pass
/// \throws InvalidArgument if a shape differs
template <AnyLayer Layer>
auto hidden_states(const Layer& layer, const Sequence<typename Layer::Scalar>& x, const ContextOf<Layer>& context)
    -> Sequence<typename Layer::Scalar> {
  using Scalar = typename Layer::Scalar;
  context.timespans.require_shape(x.time(), x.batch());
  context.mask.require_shape(x.time(), x.batch());
  Layer runner(layer);  // a copy, because running a layer changes its workspace
  Sequence<Scalar> states(x.time(), x.batch(), layer.state_size());
  Sequence<Scalar> now(1, x.batch(), x.features());
  ContextOf<Layer> one_step;
  one_step.initial_state = context.initial_state;
  Eigen::Array<Scalar, 1, Eigen::Dynamic> elapsed(x.batch());
  if (!context.mask.is_all()) one_step.mask.resize(1, x.batch());
  for (Index t = 0; t < x.time(); ++t) {
    now.step(0) = x.step(t);
    for (Index b = 0; b < x.batch(); ++b) {
      elapsed[b] = context.timespans(t, b);
      if (!context.mask.is_all()) one_step.mask.set(0, b, context.mask(t, b));
    }
    one_step.timespans = Timespans<Scalar>(elapsed);
    (void)runner(now, one_step);
    one_step.initial_state = runner.final_state();
    states.step(t) = runner.final_state().array();
  }
  return states;
}

/// The states of the layers of a stack, side by side. A layer behind one that returns its last output only takes a
/// single step, at the end. Until then, it is in its initial state.
template <AnyLayer... Layers>
auto hidden_states(const Sequential<Layers...>& model, const Sequence<typename Sequential<Layers...>::Scalar>& x,
                   const ContextOf<Sequential<Layers...>>& context)
    -> Sequence<typename Sequential<Layers...>::Scalar> {
  using Model = Sequential<Layers...>;
  using Scalar = typename Model::Scalar;
  detail::require_initial_state(model, context, x.batch());
  Sequence<Scalar> states(x.time(), x.batch(), model.state_size());
  Sequence<Scalar> values = x;
  Index first = 0;
  bool sees_every_step = true;
  const auto add = [&](const auto& layer) {
    using Layer = std::remove_cvref_t<decltype(layer)>;
    ContextOf<Layer> part = detail::part_of_context<Layer, Model>(layer, context, first);
    if (!sees_every_step) part.timespans = Scalar(1), part.mask = Mask();
    const Sequence<Scalar> of_layer = hidden_states(layer, values, part);
    for (Index t = 0; t < x.time(); ++t) {
      auto columns = states.step(t).middleCols(first, layer.state_size());
      if (sees_every_step || t + 1 == x.time()) {
        columns = of_layer.step(sees_every_step ? t : 0);
      } else if (part.initial_state) {
        columns = part.initial_state->array();
      } else {
        columns.setZero();
      }
    }
    values = Layer(layer)(values, part);
    sees_every_step = sees_every_step && layer.return_sequences();
    first += layer.state_size();
  };
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    (add(model.template layer<K>()), ...);
  }(std::index_sequence_for<Layers...>{});
  return states;
}

/// The states of both directions, side by side. At step t, the backward layer has read the steps from the last one down
/// to t.
template <AnyLayer Layer>
auto hidden_states(const Bidirectional<Layer>& model, const Sequence<typename Layer::Scalar>& x,
                   const ContextOf<Bidirectional<Layer>>& context) -> Sequence<typename Layer::Scalar> {
  using Model = Bidirectional<Layer>;
  using Scalar = typename Layer::Scalar;
  detail::require_initial_state(model, context, x.batch());
  const Layer& ahead = model.template layer<0>();
  const Layer& behind = model.template layer<1>();
  ContextOf<Layer> of_behind = detail::part_of_context<Layer, Model>(behind, context, ahead.state_size());
  of_behind.timespans = context.timespans.reversed();
  of_behind.mask = context.mask.reversed();
  const Sequence<Scalar> first = hidden_states(ahead, x, detail::part_of_context<Layer, Model>(ahead, context, 0));
  const Sequence<Scalar> second = detail::time_reversed(hidden_states(behind, detail::time_reversed(x), of_behind));
  Sequence<Scalar> states(x.time(), x.batch(), model.state_size());
  for (Index t = 0; t < x.time(); ++t) states.step(t) << first.step(t), second.step(t);
  return states;
}

}  // namespace elegans
