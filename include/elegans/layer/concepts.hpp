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

/// A layer that computes outputs of sequences: from (time, batch, input_dim) to (time, batch, output_dim), or to
/// (1, batch, output_dim) if `return_sequences()` is false. It starts from the context's initial state, (batch,
/// state_size), and returns the state after the last step as `final_state()`. A step that the context masks leaves the
/// state as it is.
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

/// A layer with one flat parameter vector of named tensors. The base class `Parameterized` provides it. The vector of a
/// layer without parameters is empty.
template <typename L>
concept LayerWithParameters = requires(L& layer, const L& constant) {
  { constant.parameter_list().count() } -> std::convertible_to<Index>;
  { constant.parameters() } -> std::convertible_to<ConstVectorView<typename L::Scalar>>;
  { constant.gradient() } -> std::convertible_to<ConstVectorView<typename L::Scalar>>;
  layer.update([](VectorView<typename L::Scalar>) {});
};

/// A layer that differentiates its last `forward`. From the adjoints of the outputs, and of the final state if that is
/// not null, it computes those of the parameters, the inputs and the initial state. The layer owns a copy of everything
/// that it needs for this, so that it can be copied and the inputs may go out of scope.
template <typename L>
concept LayerWithBackward = requires(L& layer, const L& constant, const Sequence<typename L::Scalar>& d_output,
                                     const State<typename L::Scalar, L::state_size_at_compile_time>* d_final_state) {
  layer.backward(d_output, d_final_state);
  { constant.input_gradient() } -> std::convertible_to<const Sequence<typename L::Scalar>&>;
  {
    constant.initial_state_gradient()
  } -> std::convertible_to<const State<typename L::Scalar, L::state_size_at_compile_time>&>;
};

/// A layer that can also run step by step: it advances a state by one step, in place, and returns the outputs, (batch,
/// output_dim), as a view that lasts until the next call. A layer that reads later steps, such as `Bidirectional`,
/// cannot.
template <typename L>
concept LayerWithStep =
    requires(L& layer, const ConstArrayView<typename L::Scalar>& x,
             State<typename L::Scalar, L::state_size_at_compile_time>& state, typename L::Scalar elapsed) {
      { layer.step(x, state, elapsed) } -> std::convertible_to<ConstArrayView<typename L::Scalar>>;
    };

/// A layer of a stack, and a model to train: `LTC`, `CfC`, `Dense`, `Sequential`, `Bidirectional`, `Rnn` of any cell,
/// or a user's own type with these members. A layer is a value: it can be copied.
///
/// Optional members:
/// - `step(x, state, elapsed)`, see `LayerWithStep`; a `Sequential` has it only if all of its layers do
/// - `timespans_gradient()`, (time, batch), if the outputs depend on elapsed times
/// - `static constexpr bool is_causal`, see `CausalLayer`
/// - `acausal_layer()`, the name of a layer that reads later steps, or "", if only the run time tells
/// - `summary_rows()`, its rows in a summary
template <typename L>
concept AnyLayer = LayerWithForward<L> && LayerWithParameters<L> && LayerWithBackward<L>;

/// A layer of which no output depends on a later step. A layer is causal unless its static member `is_causal` is false.
/// Only a causal layer can be trained on a sequence piece by piece.
template <typename L>
concept CausalLayer = !requires { requires !L::is_causal; };

}  // namespace elegans
