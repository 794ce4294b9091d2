// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/cell/concepts.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans::detail {

/// \throws InvalidArgument if the inputs or the state do not fit a cell
template <typename Cell, typename Derived, typename AnyState>
void require_step_shape(const Cell& cell, const Eigen::DenseBase<Derived>& x, const AnyState& state) {
  const Index batch = state.batch();
  const bool fits = batch == 1 ? x.size() == cell.input_dim() && (x.rows() == 1 || x.cols() == 1)
                               : x.rows() == batch && x.cols() == cell.input_dim();
  if (!fits || batch < 1 || state.units() != cell.state_size()) {
    refuse("step: x must be (", batch, ", ", cell.input_dim(), ") and the state (", batch, ", ", cell.state_size(),
           "), got x (", x.rows(), ", ", x.cols(), ") and a state (", batch, ", ", state.units(), ")");
  }
}

/// Advances some samples of a state by one step of a cell, in place.
/// \param space    room: two `states`, `x`, `y`, and the cell's `scratch`. Afterwards the outputs are in `y`
/// \param time_of  sample -> elapsed time
template <LaneLayout Lanes, typename Cell, typename Space, typename Derived, typename AnyState, typename TimeOf>
void step_tile(const Cell& cell, Space& space, const Eigen::DenseBase<Derived>& x, AnyState& state, TimeOf time_of,
               Index first, Index samples) {
  using Scalar = typename Cell::Scalar;
  Scalar elapsed[Lanes::samples];
  const Step<Lanes> step{.x = space.x.data(),
                         .elapsed = elapsed,
                         .states = Tape<Scalar>(space.states.data(), extent<Lanes>(cell.state_size()), false)};
  for (Index b = 0; b < Lanes::samples; ++b) elapsed[b] = b < samples ? time_of(first + b) : Scalar(0);
  to_lanes<Lanes>(cell.input_dim(), samples, space.x.data(), [&](Index b, Index f) {
    // A single stream's input may be a row or a column.
    return static_cast<Scalar>(state.batch() == 1 ? x.derived().coeff(x.rows() == 1 ? 0 : f, x.rows() == 1 ? f : 0)
                                                  : x.derived().coeff(first + b, f));
  });
  to_lanes<Lanes>(cell.state_size(), samples, step.states(0),
                  [&](Index b, Index i) { return state.data()[first + b + state.batch() * i]; });
  cell.step(step, space.scratch);
  const Scalar* const after = step.states(cell.states_per_step());
  from_lanes<Lanes>(cell.state_size(), samples, after,
                    [&](Index b, Index i, Scalar value) { state.data()[first + b + state.batch() * i] = value; });
  cell.template output<Lanes>(after, space.y.data());
}

/// Room for the steps of a single stream. With fixed sizes it uses no heap.
template <typename Cell>
struct StepSpace {
  using Scalar = typename Cell::Scalar;
  static constexpr int padded_state = pad_neurons(Cell::state_size_at_compile_time);

  explicit StepSpace(const Cell& cell) {
    states.resize(2 * pad_neurons(cell.state_size()));
    x.resize(pad_neurons(cell.input_dim()));
    y.resize(pad_neurons(cell.output_dim()));
    with_neuron_lanes<Scalar>(cell.units(), [&]<LaneLayout Lanes>() { cell.template reserve<Lanes>(scratch); });
  }

  /// \return  (1, output_dim); a view that lasts until the next call
  template <typename Derived, typename AnyState>
  ConstArrayView<Scalar> step(const Cell& cell, const Eigen::DenseBase<Derived>& from, AnyState& state,
                              Scalar elapsed_time) {
    with_neuron_lanes<Scalar>(cell.units(), [&]<LaneLayout Lanes>() {
      step_tile<Lanes>(cell, *this, from, state, [=](Index) { return elapsed_time; }, 0, 1);
    });
    return {y.data(), 1, cell.output_dim()};
  }

  typename Cell::SingleScratch scratch;
  Buffer<Scalar, add_sizes(padded_state, padded_state)> states;
  Buffer<Scalar, pad_neurons(Cell::inputs_at_compile_time)> x;
  Buffer<Scalar, pad_neurons(Cell::outputs_at_compile_time)> y;
};

/// Room for the steps of a batch of streams.
template <typename Cell>
struct BatchStepSpace {
  using Scalar = typename Cell::Scalar;

  template <LaneLayout Lanes>
  void reserve(const Cell& cell) {
    cell.template reserve<Lanes>(scratch);
    const auto grow = [](Buffer<Scalar>& values, Index size) { values.resize((std::max)(values.size(), size)); };
    grow(states, 2 * extent<Lanes>(cell.state_size()));
    grow(x, extent<Lanes>(cell.input_dim()));
    grow(y, extent<Lanes>(cell.output_dim()));
  }

  typename Cell::template Scratch<> scratch;
  Buffer<Scalar> states, x, y;
  Buffer<Scalar> outputs;  ///< (batch, output_dim), column-major
};

}  // namespace elegans::detail
