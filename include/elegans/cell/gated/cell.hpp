// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include <elegans/cell/gated/options.hpp>
#include <elegans/core/initial_values.hpp>
#include <elegans/core/initializers.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/torch_random.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

namespace detail {

/// PyTorch's tensors of a cell with so many gates, in the order of its `state_dict`.
inline ParameterList<> gated_parameters(int gates, int units, int input_dim) {
  ParameterList<> list;
  const int rows = gates * units;
  list.add("weight_ih_l0", rows, input_dim);
  list.add("weight_hh_l0", rows, units);
  list.add("bias_ih_l0", rows, 1);
  list.add("bias_hh_l0", rows, 1);
  return list;
}

}  // namespace detail

// mutate all: gated.cell
/// What `LSTMCell` and `GRUCell` share: PyTorch's parameters, and h as the output. Elapsed times do not count.
///
/// The tensors are `weight_ih_l0` (gates units, input_dim), `weight_hh_l0` (gates units, units), `bias_ih_l0` and
/// `bias_hh_l0` (gates units), one gate below the other. By default, they start uniform in +-1 / sqrt(units), in
/// PyTorch's order, so they are those of `torch.manual_seed(seed)` followed by `nn.LSTM(input_dim, units)`, to the bit.
///
/// \tparam Gates  number of gates
template <typename ScalarType, int Gates>
class GatedCell {
 public:
  using Scalar = ScalarType;
  static constexpr int state_size_at_compile_time = Dynamic;
  static constexpr int inputs_at_compile_time = Dynamic;
  static constexpr int outputs_at_compile_time = Dynamic;
  static constexpr int parameter_capacity = Dynamic;

  /// The parameters of a cell of these sizes, each at least 1.
  GatedCell(Index units, Index input_dim, const GatedOptions& options)
      : options_(options),
        units_(units),
        input_dim_(input_dim),
        parameters_(detail::gated_parameters(Gates, static_cast<int>(units), static_cast<int>(input_dim))) {}

  [[nodiscard]] Index units() const noexcept { return units_; }
  [[nodiscard]] Index input_dim() const noexcept { return input_dim_; }
  [[nodiscard]] Index output_dim() const noexcept { return units_; }
  [[nodiscard]] Index states_per_step() const noexcept { return 1; }
  [[nodiscard]] const GatedOptions& options() const& noexcept { return options_; }
  [[nodiscard]] GatedOptions options() const&& { return options(); }
  [[nodiscard]] const ParameterList<>& parameters() const& noexcept { return parameters_; }
  [[nodiscard]] ParameterList<> parameters() const&& { return parameters(); }

  void initialize(Scalar* parameters) const {
    TorchRandom random(options_.seed);
    if (options_.initial_values == InitialValues::keras) {
      detail::initialize_xavier(parameters_.at("weight_ih_l0"), random, parameters);
      detail::initialize_orthogonal(parameters_.at("weight_hh_l0"), random, parameters);
      for (const char* bias : {"bias_ih_l0", "bias_hh_l0"}) detail::fill(parameters_.at(bias), Scalar(0), parameters);
      return;
    }
    const double bound = 1.0 / std::sqrt(static_cast<double>(units_));
    for (const Parameter& entry : parameters_) detail::draw_uniform(entry, bound, random, parameters);
  }
  /// Gates have no constraints.
  void apply_constraints(Scalar*) const {}

  /// y = h, which comes first in the state.
  template <LaneLayout Lanes>
  void output(const Scalar* state, Scalar* y) const {
    std::copy_n(state, Lanes::index(units_, 0), y);
  }

  template <LaneLayout Lanes, typename Adjoint>
  void output_backward(const Scalar*, const Scalar* d_y, Scalar* d_state, Adjoint&) const {
    for (Index i = 0; i < Lanes::index(units_, 0); ++i) d_state[i] += d_y[i];
  }

 protected:
  /// Where the rows of a gate begin in the four tensors, within a parameter vector.
  struct Offsets {
    Index of_x, of_h, bias_of_x, bias_of_h;
  };

  [[nodiscard]] Offsets offsets(int gate) const noexcept {
    const Index rows = Gates * units_, of_x = gate * units_, of_h = of_x + rows * input_dim_;
    return {of_x, of_h, of_h + rows * units_, of_h + rows * units_ + rows};
  }
  [[nodiscard]] Index rows() const noexcept { return Gates * units_; }

 private:
  GatedOptions options_;
  Index units_, input_dim_;
  ParameterList<> parameters_;
};

}  // namespace elegans
