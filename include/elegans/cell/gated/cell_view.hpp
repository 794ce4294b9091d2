// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/cell/gated/gru_gates.hpp>
#include <elegans/cell/memory/gates.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/types.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

/// What `LSTMCellView` and `GRUCellView` share: fixed sizes, and h as the output.
///
/// \tparam StateValues  values of the state per neuron
template <typename ScalarType, int Units, int Inputs, int StateValues>
class GatedCellView {
 public:
  using Scalar = ScalarType;
  static constexpr int state_size_at_compile_time = StateValues * Units;
  static constexpr int inputs_at_compile_time = Inputs;
  static constexpr int outputs_at_compile_time = Units;

  [[nodiscard]] static constexpr Index units() noexcept { return Units; }
  [[nodiscard]] static constexpr Index state_size() noexcept { return state_size_at_compile_time; }
  [[nodiscard]] static constexpr Index input_dim() noexcept { return Inputs; }
  [[nodiscard]] static constexpr Index output_dim() noexcept { return Units; }
  [[nodiscard]] static constexpr Index states_per_step() noexcept { return 1; }

  /// y = h, which comes first in the state.
  template <LaneLayout Lanes>
  void output(const Scalar* state, Scalar* y) const {
    std::copy_n(state, Units, y);
  }
};

/// An LSTM cell for a single stream, of fixed sizes, on weights that are constants of the program: it uses no heap. It
/// computes the same numbers as `LSTMCell`, to the bit. `export_header` writes its arguments.
template <typename ScalarType, int Units, int Inputs>
class LSTMCellView : public GatedCellView<ScalarType, Units, Inputs, 2> {
 public:
  using Scalar = ScalarType;

  struct SingleScratch {
    Buffer<Scalar, detail::pad_neurons(Inputs + Units)> in;  ///< [x, h]
    Buffer<Scalar, detail::pad_neurons(Units)> gate[4];      ///< see MemoryGates::open
  };

  /// \param gates  maps of [x, h]; their weights must outlive the cell
  explicit LSTMCellView(const detail::LinearView<Scalar, 4>& gates) : gates_{gates, Scalar(0)} {}

  template <LaneLayout Lanes>
  void reserve(SingleScratch& scratch) const {
    scratch.in.resize(detail::pad_neurons(Inputs + Units));
    for (auto& gate : scratch.gate) gate.resize(detail::pad_neurons(Units));
  }

  template <LaneLayout Lanes>
  void step(const Step<Lanes>& step, SingleScratch& scratch) const {
    const Scalar* const new_c = gates_.template forward<Lanes>(step.x, step.states(0), step.states(1), scratch);
    std::copy_n(new_c, Units, step.states(1) + Units);
  }

 private:
  detail::MemoryGates<Scalar> gates_;
};

/// A GRU cell for a single stream, of fixed sizes, on weights that are constants of the program: it uses no heap. It
/// computes the same numbers as `GRUCell`, to the bit. `export_header` writes its arguments.
template <typename ScalarType, int Units, int Inputs>
class GRUCellView : public GatedCellView<ScalarType, Units, Inputs, 1> {
 public:
  using Scalar = ScalarType;

  struct SingleScratch {
    Buffer<Scalar, detail::pad_neurons(3 * Units)> of_x, of_h;  ///< see GRUGates::open
  };

  /// \param of_x, of_h  maps of x and of h; their weights must outlive the cell
  GRUCellView(const detail::LinearView<Scalar>& of_x, const detail::LinearView<Scalar>& of_h) : gates_{of_x, of_h} {}

  template <LaneLayout Lanes>
  void reserve(SingleScratch& scratch) const {
    for (auto* values : {&scratch.of_x, &scratch.of_h}) values->resize(detail::pad_neurons(3 * Units));
  }

  template <LaneLayout Lanes>
  void step(const Step<Lanes>& step, SingleScratch& scratch) const {
    gates_.template forward<Lanes>(step.x, step.states(0), step.states(1), scratch);
  }

 private:
  detail::GRUGates<Scalar> gates_;
};

}  // namespace elegans
