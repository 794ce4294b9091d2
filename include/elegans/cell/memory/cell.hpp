// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/cell/concepts.hpp>
#include <elegans/cell/memory/gates.hpp>
#include <elegans/cell/memory/options.hpp>
#include <elegans/cell/memory/parameters.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/kernel/linear/linear_adjoint.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

// mutate all: memory.cell
/// Mixed memory: an LSTM in front of another cell. In each step, the LSTM updates its memory c from the inputs x and
/// the state h, and computes a new h. The other cell then starts its step from that h:
///
///     z = input_map x + recurrent_map h,    (i, ig, fg, og) the quarters of z
///     c <- c sigmoid(fg + 1) + tanh(i) sigmoid(ig),    h <- cell(x, tanh(c) sigmoid(og))
///
/// The state is (h, c), side by side. Lechner and Hasani, Learning long-term dependencies in irregularly-sampled time
/// series, 2020; `ncps.torch.LSTMCell` and the option `mixed_memory` of ncps' layers.
///
/// \tparam Inner  the other cell: LTCCell or CfCCell, or one like them
template <typename Inner>
class MemoryCell {
 public:
  using Scalar = typename Inner::Scalar;
  static constexpr int state_size_at_compile_time = detail::multiply_sizes(2, Inner::state_size_at_compile_time);
  static constexpr int inputs_at_compile_time = Inner::inputs_at_compile_time;
  static constexpr int outputs_at_compile_time = Inner::outputs_at_compile_time;
  static constexpr int parameter_capacity = Dynamic;

  template <int NeuronCapacity = Dynamic, int InputCapacity = Dynamic>
  struct Scratch {
    typename Inner::template Scratch<> inner;
    Buffer<Scalar> in;       ///< [input, h]
    Buffer<Scalar> gate[4];  ///< tanh(i), sigmoid(ig), sigmoid(fg + 1), sigmoid(og)
    Buffer<Scalar> states;   ///< the inner cell's states: h
  };
  using SingleScratch = Scratch<>;

  struct Adjoint {
    typename Inner::Adjoint inner;
    detail::LinearAdjoint<Scalar, 4> gate;
    Buffer<Scalar> d_gate[4];
    Buffer<Scalar> d_in, d_h;
  };

  /// An LSTM in front of this cell. \throws InvalidArgument if an option is out of its range
  explicit MemoryCell(Inner inner, const MemoryOptions& memory = {}) : inner_(std::move(inner)), memory_(memory) {
    detail::check_options(memory);
    for (const Parameter& entry : inner_.parameters()) parameters_.add(entry.name, entry.rows, entry.columns);
    offsets_ = detail::add_lstm_parameters(parameters_, units(), input_dim());
    gates_ = detail::Linear<Scalar, 4>(units(), input_dim() + units());
  }

  [[nodiscard]] const Inner& inner() const& noexcept { return inner_; }
  [[nodiscard]] Inner inner() const&& { return inner(); }
  /// The LSTM's i, ig, fg and og: linear maps of [x, h].
  [[nodiscard]] const detail::Linear<Scalar, 4>& gate_maps() const noexcept { return gates_; }
  [[nodiscard]] Index units() const noexcept { return inner_.units(); }
  [[nodiscard]] Index state_size() const noexcept { return 2 * inner_.units(); }
  [[nodiscard]] Index input_dim() const noexcept { return inner_.input_dim(); }
  [[nodiscard]] Index output_dim() const noexcept { return inner_.output_dim(); }
  /// Number of states that a step makes: one with the LSTM's h, then those of the inner cell.
  [[nodiscard]] Index states_per_step() const noexcept { return 1 + inner_.states_per_step(); }
  [[nodiscard]] const auto& options() const& noexcept { return inner_.options(); }
  [[nodiscard]] auto options() const&& { return options(); }
  [[nodiscard]] const ParameterList<>& parameters() const& noexcept { return parameters_; }
  [[nodiscard]] ParameterList<> parameters() const&& { return parameters(); }

  void initialize(Scalar* parameters) const {
    inner_.initialize(parameters);
    detail::initialize_lstm(parameters_, memory_, options().seed, parameters);
  }
  void apply_constraints(Scalar* parameters) const { inner_.apply_constraints(parameters); }

  void pack(const Scalar* parameters, bool single) {
    inner_.pack(parameters, single);
    for (int k = 0; k < 4; ++k) {
      gates_.pack_weight(k, parameters + offsets_.input_weight + k * units(), 4 * units(), 0, input_dim());
      gates_.pack_weight(k, parameters + offsets_.recurrent_weight + k * units(), 4 * units(), input_dim(), units());
      gates_.pack_bias(k, parameters + offsets_.input_bias + k * units());
    }
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void reserve(AnyScratch& scratch) const {
    inner_.template reserve<Lanes>(scratch.inner);
    const Index extent = detail::extent<Lanes>(units());
    scratch.in.resize(detail::extent<Lanes>(input_dim() + units()));
    for (auto& gate : scratch.gate) gate.resize(extent);
    scratch.states.resize(states_per_step() * extent);
    // A lane that only fills up a packet has a state of 0.
    std::fill_n(scratch.states.data(), scratch.states.size(), Scalar(0));
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void step(const Step<Lanes>& step, AnyScratch& scratch) const {
    const Index size = Lanes::index(units(), 0);
    const Tape<Scalar> h = inner_states<Lanes>(scratch);
    const Scalar* const new_c = gates().template forward<Lanes>(step.x, step.states(0), h(0), scratch);
    inner_.step(inner_step(step, h), scratch.inner);
    for (Index l = 0; l < states_per_step(); ++l) {
      std::copy_n(h(l), size, step.states(l + 1));
      std::copy_n(new_c, size, step.states(l + 1) + size);
    }
  }

  template <LaneLayout Lanes>
  void output(const Scalar* v, Scalar* y) const {
    inner_.template output<Lanes>(v, y);
  }

  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    const auto clear = [](Buffer<Scalar>& values, Index size) {
      values.resize(size);
      std::fill_n(values.data(), size, Scalar(0));
    };
    inner_.template reset<Lanes>(adjoint.inner);
    adjoint.gate.template reset<Lanes>(gates_);
    for (auto& d_gate : adjoint.d_gate) clear(d_gate, detail::extent<Lanes>(units()));
    clear(adjoint.d_in, detail::extent<Lanes>(input_dim() + units()));
    clear(adjoint.d_h, detail::extent<Lanes>(units()));
  }

  template <LaneLayout Lanes>
  void output_backward(const Scalar* v, const Scalar* d_y, Scalar* d_v, Adjoint& adjoint) const {
    inner_.template output_backward<Lanes>(v, d_y, d_v, adjoint.inner);
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void step_backward(const Step<Lanes>& step, const StepAdjoint<Lanes>& d, AnyScratch& scratch,
                     Adjoint& adjoint) const {
    const Index size = Lanes::index(units(), 0);
    const Index inputs = Lanes::index(input_dim(), 0);
    const Tape<Scalar> states = inner_states<Lanes>(scratch);
    for (Index l = 0; l < states_per_step(); ++l) std::copy_n(step.states(l + 1), size, states(l));
    std::copy_n(d.d_state, size, adjoint.d_h.data());
    inner_.step_backward(inner_step(step, states), StepAdjoint<Lanes>{adjoint.d_h.data(), d.d_x, d.d_elapsed},
                         scratch.inner, adjoint.inner);

    gates().template open<Lanes>(step.x, step.states(0), scratch);
    const detail::MapPointers<Scalar, 4> d_gate{adjoint.d_gate[0].data(), adjoint.d_gate[1].data(),
                                                adjoint.d_gate[2].data(), adjoint.d_gate[3].data()};
    gates().template backward<Lanes>(step.states(0) + size, step.states(1) + size, adjoint.d_h.data(), d.d_state + size,
                                     scratch, d_gate);
    std::fill_n(adjoint.d_in.data(), adjoint.d_in.size(), Scalar(0));
    const detail::MapPointers<const Scalar, 4> d_gates{d_gate[0], d_gate[1], d_gate[2], d_gate[3]};
    gates_.view().template backward<Lanes>(d_gates, adjoint.d_in.data());
    adjoint.gate.template append<Lanes>(scratch.in.data(), d_gates);
    for (Index f = 0; f < inputs; ++f) d.d_x[f] += adjoint.d_in[f];
    std::copy_n(adjoint.d_in.data() + inputs, size, d.d_state);
  }

  template <LaneLayout Lanes>
  void collect(Adjoint& adjoint, const Scalar* parameters, Scalar* gradient) const {
    inner_.template collect<Lanes>(adjoint.inner, parameters, gradient);
    auto& sums = adjoint.gate;
    sums.template sum_up<Lanes>();
    for (int k = 0; k < 4; ++k) {
      sums.add_weight_gradient(k, gradient + offsets_.input_weight + k * units(), 4 * units(), 0, input_dim());
      sums.add_weight_gradient(k, gradient + offsets_.recurrent_weight + k * units(), 4 * units(), input_dim(),
                               units());
      sums.add_bias_gradient(k, gradient + offsets_.input_bias + k * units());
    }
  }

 private:
  [[nodiscard]] detail::MemoryGates<Scalar> gates() const noexcept { return {gates_.view()}; }

  template <LaneLayout Lanes, typename AnyScratch>
  [[nodiscard]] Tape<Scalar> inner_states(AnyScratch& scratch) const noexcept {
    return {scratch.states.data(), detail::extent<Lanes>(units()), true};
  }
  template <LaneLayout Lanes>
  [[nodiscard]] static Step<Lanes> inner_step(const Step<Lanes>& step, const Tape<Scalar>& states) noexcept {
    return {.x = step.x, .elapsed = step.elapsed, .states = states, .position = step.position};
  }

  Inner inner_;
  MemoryOptions memory_;
  ParameterList<> parameters_;
  detail::LSTMOffsets offsets_;
  detail::Linear<Scalar, 4> gates_;  // see MemoryGates
};

}  // namespace elegans
