// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <elegans/core/context.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// A layer that gives outputs for sequences: (time, batch, output_dim) for (time, batch, input_dim), or (1, batch,
/// output_dim) where `return_sequences()` is false. What it remembers, (batch, state_size), it takes from the context
/// at first, and has in `final_state()` at last; a step that the context masks leaves it alone.
template <typename L>
concept LayerWithForward =
    std::copyable<L> && requires(L& layer, const L& constant, const Sequence<typename L::Scalar>& x,
                                 const Context<typename L::Scalar, L::state_size_at_compile_time>& context) {
      { constant.input_dim() } -> std::convertible_to<Index>;
      { constant.output_dim() } -> std::convertible_to<Index>;
      { constant.state_size() } -> std::convertible_to<Index>;
      { constant.return_sequences() } -> std::convertible_to<bool>;
      {
        constant.initial_state(Index{1})
      } -> std::convertible_to<State<typename L::Scalar, L::state_size_at_compile_time>>;
      {
        constant.final_state()
      } -> std::convertible_to<const State<typename L::Scalar, L::state_size_at_compile_time>&>;
      { layer(x, context) } -> std::convertible_to<const Sequence<typename L::Scalar>&>;
      { layer.forward(x, context) } -> std::same_as<const Sequence<typename L::Scalar>&>;
    };

/// One flat parameter vector with named tensors; a layer gets all of it by deriving from `Parameterized`. A layer
/// without parameters has an empty one.
template <typename L>
concept LayerWithParameters = requires(L& layer, const L& constant) {
  { constant.parameter_list().count() } -> std::convertible_to<Index>;
  { constant.parameters() } -> std::convertible_to<ConstVectorView<typename L::Scalar>>;
  { constant.gradient() } -> std::convertible_to<ConstVectorView<typename L::Scalar>>;
  layer.update([](VectorView<typename L::Scalar>) {});
};

/// A layer that goes back through what it last went `forward`, from the adjoints of the outputs and, if not null, of
/// the final state to those of the parameters, the inputs and the initial state.
template <typename L>
concept LayerWithBackward = requires(L& layer, const L& constant, const Sequence<typename L::Scalar>& d_output,
                                     const State<typename L::Scalar, L::state_size_at_compile_time>* d_final_state) {
  layer.backward(d_output, d_final_state);
  { constant.input_gradient() } -> std::convertible_to<const Sequence<typename L::Scalar>&>;
  {
    constant.initial_state_gradient()
  } -> std::convertible_to<const State<typename L::Scalar, L::state_size_at_compile_time>&>;
};

/// What can be stacked, trained, and asked for its hidden states: `LTC`, `CfC`, `Dense`, `Sequential`, `Bidirectional`,
/// `Rnn` of any cell, or a user's own type with these members. A value: it copies.
///
/// Optional: `step(x, state, elapsed)`, without which a `Sequential` of it has none; `timespans_gradient()`, (time,
/// batch), if it depends on elapsed times; `summary_rows()`, its lines in a summary.
template <typename L>
concept AnyLayer = LayerWithForward<L> && LayerWithParameters<L> && LayerWithBackward<L>;

}  // namespace elegans
