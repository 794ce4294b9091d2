// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <elegans/core/parameters.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans {

namespace detail {

/// Stands for the function that tells a step where its states go.
template <typename Pointer>
struct AnyStateAt {
  Pointer operator()(Index) const;
};

/// The lanes that the concept asks with; a cell must take any.
template <typename Scalar>
using SomeLanes = BatchLanes<Scalar, fewest_lanes<Scalar>>;

}  // namespace detail

/// What steps over a single stream, a lane a neuron: the part of a cell that `Stream` needs.
///
///     step<Lanes>(x, v, elapsed, at, scratch)  from state v to the states at(0) … at(states_per_step() - 1)
///     output<Lanes>(v, y)                      what the layer gives
///     reserve<Lanes>(scratch)                  makes room, so that no step allocates
template <typename C>
concept StreamCell =
    std::copyable<C> && requires(const C& cell, const typename C::Scalar* values, typename C::Scalar* out,
                                 typename C::SingleScratch& scratch, detail::AnyStateAt<typename C::Scalar*> at) {
      { C::state_size_at_compile_time } -> std::convertible_to<int>;
      { C::inputs_at_compile_time } -> std::convertible_to<int>;
      { C::outputs_at_compile_time } -> std::convertible_to<int>;
      { cell.units() } -> std::convertible_to<Index>;
      { cell.state_size() } -> std::convertible_to<Index>;
      { cell.input_dim() } -> std::convertible_to<Index>;
      { cell.output_dim() } -> std::convertible_to<Index>;
      { cell.states_per_step() } -> std::convertible_to<Index>;
      cell.template reserve<detail::NeuronLanes<typename C::Scalar, 1>>(scratch);
      cell.template step<detail::NeuronLanes<typename C::Scalar, 1>>(values, values, values, at, scratch);
      cell.template output<detail::NeuronLanes<typename C::Scalar, 1>>(values, out);
    };

/// A cell's sizes and parameters. Sizes may be Dynamic at compile time; the state holds at least the neurons, and may
/// hold more.
///
///     parameters()            what lies where in the flat parameter vector that `Rnn` owns: a `ParameterList`
///     initialize(parameters)  sets initial values
///     constrain(parameters)   brings values back into their range after every change
///     pack(parameters, single)   takes over new values, for batches or for single samples
template <typename C>
concept CellWithParameters = std::copyable<C> && requires(const C& cell, C& own, typename C::Scalar* parameters,
                                                          const typename C::Scalar* values) {
  { C::state_size_at_compile_time } -> std::convertible_to<int>;
  { C::inputs_at_compile_time } -> std::convertible_to<int>;
  { C::outputs_at_compile_time } -> std::convertible_to<int>;
  { C::parameter_capacity } -> std::convertible_to<int>;
  { cell.units() } -> std::convertible_to<Index>;
  { cell.state_size() } -> std::convertible_to<Index>;
  { cell.input_dim() } -> std::convertible_to<Index>;
  { cell.output_dim() } -> std::convertible_to<Index>;
  { cell.parameters().count() } -> std::convertible_to<Index>;
  { cell.parameters().find("") } -> std::convertible_to<const Parameter*>;
  cell.initialize(parameters);
  cell.constrain(parameters);
  own.pack(values, true);
};

/// A step from one state to the next, and its outputs, for a tile of samples whose values lie as `Lanes` says.
///
///     step<Lanes>(x, v, elapsed, at, scratch)  from state v to the states at(0) … at(states_per_step() - 1);
///                                              an elapsed time of 0 must give finite values
///     output<Lanes>(v, y)                      what the layer gives
///     reserve<Lanes>(scratch)                  makes room, so that no step allocates
template <typename C>
concept CellWithStep = requires(const C& cell, const typename C::Scalar* values, typename C::Scalar* out,
                                typename C::template Scratch<>& scratch, typename C::SingleScratch& single,
                                detail::AnyStateAt<typename C::Scalar*> at) {
  { cell.states_per_step() } -> std::convertible_to<Index>;
  cell.template reserve<detail::SomeLanes<typename C::Scalar>>(scratch);
  cell.template reserve<detail::NeuronLanes<typename C::Scalar, 1>>(single);
  cell.template step<detail::SomeLanes<typename C::Scalar>>(values, values, values, at, scratch);
  cell.template output<detail::SomeLanes<typename C::Scalar>>(values, out);
};

/// The adjoints of step and output, and the sums over time that make the parameters' gradient.
///
///     reset<Lanes>(adjoint)                             clears the sums
///     output_backward<Lanes>(v, d_y, d_v, adjoint)      adds to d_v
///     step_backward<Lanes>(x, v, elapsed, at, d_v, d_x, d_elapsed, scratch, adjoint)
///                                                       d_v: of the new state before, of the old one after
///     collect<Lanes>(adjoint, parameters, gradient)     adds the sums to a gradient
template <typename C>
concept CellWithAdjoint = requires(const C& cell, const typename C::Scalar* values, typename C::Scalar* out,
                                   typename C::template Scratch<>& scratch, typename C::Adjoint& adjoint,
                                   detail::AnyStateAt<const typename C::Scalar*> at) {
  cell.template reset<detail::SomeLanes<typename C::Scalar>>(adjoint);
  cell.template output_backward<detail::SomeLanes<typename C::Scalar>>(values, values, out, adjoint);
  cell.template step_backward<detail::SomeLanes<typename C::Scalar>>(values, values, values, at, out, out, out, scratch,
                                                                     adjoint);
  cell.template collect<detail::SomeLanes<typename C::Scalar>>(adjoint, values, out);
};

/// What `Rnn` runs over sequences: `LTCCell`, `CfCCell`, `MemoryCell` of either, or a user's own. It works on packets
/// of samples or of neurons; to write one on plain arrays instead, see `ArrayCell`.
template <typename C>
concept RecurrentCell = CellWithParameters<C> && CellWithStep<C> && CellWithAdjoint<C>;

}  // namespace elegans
