// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <elegans/cell/step.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

namespace detail {

/// The layouts with which the concepts check a cell. A cell must work with every layout.
template <typename Scalar>
using SomeBatchLanes = BatchLanes<Scalar, fewest_lanes<Scalar>>;
template <typename Scalar>
using SomeNeuronLanes = NeuronLanes<Scalar, 1>;

}  // namespace detail

/// Sizes of a cell. They may be Dynamic at compile time. The state has at least one value per neuron.
template <typename C>
concept CellWithSizes = std::copyable<C> && requires(const C& cell) {
  { C::state_size_at_compile_time } -> std::convertible_to<int>;
  { C::inputs_at_compile_time } -> std::convertible_to<int>;
  { C::outputs_at_compile_time } -> std::convertible_to<int>;
  { cell.units() } -> std::convertible_to<Index>;
  { cell.state_size() } -> std::convertible_to<Index>;
  { cell.input_dim() } -> std::convertible_to<Index>;
  { cell.output_dim() } -> std::convertible_to<Index>;
  { cell.states_per_step() } -> std::convertible_to<Index>;
};

/// A cell that can step over a single stream: all that `Stream` needs.
///
///     step(Step<Lanes>, scratch)   makes the states of one step; an elapsed time of 0 must give finite values
///     output<Lanes>(state, y)      writes the outputs of a state, (output_dim)
///     reserve<Lanes>(scratch)      makes room, so that no step allocates
template <typename C>
concept StreamCell = CellWithSizes<C> && requires(const C& cell, const typename C::Scalar* state, typename C::Scalar* y,
                                                  typename C::SingleScratch& scratch,
                                                  const Step<detail::SomeNeuronLanes<typename C::Scalar>>& step) {
  cell.template reserve<detail::SomeNeuronLanes<typename C::Scalar>>(scratch);
  cell.step(step, scratch);
  cell.template output<detail::SomeNeuronLanes<typename C::Scalar>>(state, y);
};

/// A cell with parameters, which `Rnn` owns.
///
///     parameters()                   names and shapes in the flat parameter vector: a `ParameterList`
///     initialize(parameters)         sets initial values
///     apply_constraints(parameters)  brings values back into their range, after every change
///     pack(parameters, single)       packs new values, for batches or for single samples
template <typename C>
concept CellWithParameters = CellWithSizes<C> && requires(const C& cell, C& own, typename C::Scalar* parameters,
                                                          const typename C::Scalar* values) {
  { C::parameter_capacity } -> std::convertible_to<int>;
  { cell.parameters().count() } -> std::convertible_to<Index>;
  { cell.parameters().find("") } -> std::convertible_to<const Parameter*>;
  cell.initialize(parameters);
  cell.apply_constraints(parameters);
  own.pack(values, true);
};

/// A cell that can step a batch: as `StreamCell`, for tiles of samples.
template <typename C>
concept CellWithStep = StreamCell<C> && requires(const C& cell, const typename C::Scalar* state, typename C::Scalar* y,
                                                 typename C::template Scratch<>& scratch,
                                                 const Step<detail::SomeBatchLanes<typename C::Scalar>>& step) {
  cell.template reserve<detail::SomeBatchLanes<typename C::Scalar>>(scratch);
  cell.step(step, scratch);
  cell.template output<detail::SomeBatchLanes<typename C::Scalar>>(state, y);
};

/// A cell with the adjoints of `step` and `output`. An `Adjoint` sums up what they contribute to the gradient of the
/// parameters, over a whole sequence.
///
///     reset<Lanes>(adjoint)                            starts with sums of 0
///     output_backward<Lanes>(state, d_y, d_state, adjoint)  adds to d_state
///     step_backward(Step<Lanes>, StepAdjoint<Lanes>, scratch, adjoint)
///     collect<Lanes>(adjoint, parameters, gradient)    adds the sums to a gradient
template <typename C>
concept CellWithAdjoint = requires(const C& cell, const typename C::Scalar* values, typename C::Scalar* out,
                                   typename C::template Scratch<>& scratch, typename C::Adjoint& adjoint,
                                   const Step<detail::SomeBatchLanes<typename C::Scalar>>& step,
                                   const StepAdjoint<detail::SomeBatchLanes<typename C::Scalar>>& step_adjoint) {
  cell.template reset<detail::SomeBatchLanes<typename C::Scalar>>(adjoint);
  cell.template output_backward<detail::SomeBatchLanes<typename C::Scalar>>(values, values, out, adjoint);
  cell.step_backward(step, step_adjoint, scratch, adjoint);
  cell.template collect<detail::SomeBatchLanes<typename C::Scalar>>(adjoint, values, out);
};

/// A cell that `Rnn` runs over sequences: `LTCCell`, `CfCCell`, `MemoryCell` of either, or a user's own. It works on
/// packets of samples or of neurons. To write one on plain arrays instead, see `ArrayCell`.
template <typename C>
concept RecurrentCell = CellWithParameters<C> && CellWithStep<C> && CellWithAdjoint<C>;

/// A cell opts into being a `RecordingCell` by deriving from this.
struct RecordsSteps {};

/// A cell whose step can record values for its adjoint, which otherwise has to compute them again. `Rnn` records as
/// many of the last steps as fit into a cache. Beyond that, computing again is faster.
///
///     record_size<Lanes>()   number of values per step; 0 if there is nothing to gain
template <typename C>
concept RecordingCell = RecurrentCell<C> && std::derived_from<C, RecordsSteps> && requires(const C& cell) {
  { cell.template record_size<detail::SomeBatchLanes<typename C::Scalar>>() } -> std::convertible_to<Index>;
};

/// A cell opts into being a `SampleSumsCell` by deriving from this.
struct SumsBySample {};

/// A cell whose adjoint has separate sums for each sample, until `collect` adds them up. `Rnn` may then collect the
/// gradient of each half of a tile by itself, with the layout `detail::HalfOf`.
template <typename C>
concept SampleSumsCell = RecurrentCell<C> && std::derived_from<C, SumsBySample>;

}  // namespace elegans
