// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <elegans/cell/cfc/dropout.hpp>
#include <elegans/cell/memory/gates.hpp>
#include <elegans/cell/memory/parameters.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/kernel/linear/linear_adjoint.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

/// Mixed memory: an LSTM in front of another cell. Each step, the LSTM updates its memory c from the inputs and the
/// state h, and hands the other cell a new h to step from:
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
    Buffer<Scalar> memory;   ///< tanh of the new c
    Buffer<Scalar> states;   ///< h before and after each of the inner cell's states
    detail::DropoutPosition position;
  };
  using SingleScratch = Scratch<>;

  struct Adjoint {
    typename Inner::Adjoint inner;
    detail::LinearAdjoint<Scalar, 4> gate;
    Buffer<Scalar> d_gate[4];
    Buffer<Scalar> d_in, d_h;
  };

  explicit MemoryCell(Inner inner) : inner_(std::move(inner)) {
    for (const Parameter& entry : inner_.parameters()) parameters_.add(entry.name, entry.rows, entry.columns);
    place_ = detail::add_lstm_parameters(parameters_, units(), input_dim());
    gates_ = detail::Linear<Scalar, 4>(units(), input_dim() + units());
  }

  [[nodiscard]] const Inner& inner() const noexcept { return inner_; }
  /// The LSTM's i, ig, fg and og: linear maps of [x, h].
  [[nodiscard]] const detail::Linear<Scalar, 4>& gate_maps() const noexcept { return gates_; }
  [[nodiscard]] Index units() const noexcept { return inner_.units(); }
  [[nodiscard]] Index state_size() const noexcept { return 2 * inner_.units(); }
  [[nodiscard]] Index input_dim() const noexcept { return inner_.input_dim(); }
  [[nodiscard]] Index output_dim() const noexcept { return inner_.output_dim(); }
  /// The LSTM's, and the inner cell's.
  [[nodiscard]] Index states_per_step() const noexcept { return 1 + inner_.states_per_step(); }
  [[nodiscard]] const auto& options() const noexcept { return inner_.options(); }
  [[nodiscard]] const ParameterList<>& parameters() const noexcept { return parameters_; }

  void initialize(Scalar* parameters) const {
    inner_.initialize(parameters);
    detail::initialize_lstm(parameters_, options().seed, parameters);
  }
  void constrain(Scalar* parameters) const { inner_.constrain(parameters); }

  void pack(const Scalar* parameters, bool single) {
    inner_.pack(parameters, single);
    for (int k = 0; k < 4; ++k) {
      gates_.pack_weight(k, parameters + place_.input_weight + k * units(), 4 * units(), 0, input_dim());
      gates_.pack_weight(k, parameters + place_.recurrent_weight + k * units(), 4 * units(), input_dim(), units());
      gates_.pack_bias(k, parameters + place_.input_bias + k * units());
    }
  }

  template <typename Lanes, typename AnyScratch>
  void reserve(AnyScratch& scratch) const {
    inner_.template reserve<Lanes>(scratch.inner);
    const Index room = detail::extent<Lanes>(units());
    scratch.in.resize(detail::extent<Lanes>(input_dim() + units()));
    for (auto& gate : scratch.gate) gate.resize(room);
    scratch.memory.resize(room);
    scratch.states.resize(states_per_step() * room);
    // A neuron that only fills up a packet has no state.
    std::fill_n(scratch.states.data(), scratch.states.size(), Scalar(0));
  }

  template <typename Lanes, typename AnyScratch, typename StateAt>
  void step(const Scalar* x, const Scalar* v, const Scalar* elapsed, StateAt at, AnyScratch& scratch) const {
    const Index room = detail::extent<Lanes>(units());
    const Index size = place<Lanes>(units());
    Scalar* const states = scratch.states.data();
    const Scalar* const new_c = gates().template forward<Lanes>(x, v, states, scratch);
    pass_position(scratch);
    inner_.template step<Lanes>(x, states, elapsed, [=](Index l) { return states + (l + 1) * room; }, scratch.inner);
    for (Index l = 0; l < states_per_step(); ++l) {
      std::copy_n(states + l * room, size, at(l));
      std::copy_n(new_c, size, at(l) + size);
    }
  }

  template <typename Lanes>
  void output(const Scalar* v, Scalar* y) const {
    inner_.template output<Lanes>(v, y);
  }

  template <typename Lanes>
  void reset(Adjoint& adjoint) const {
    inner_.template reset<Lanes>(adjoint.inner);
    adjoint.gate.template reset<Lanes>(gates_);
    for (auto& d_gate : adjoint.d_gate) clear(d_gate, detail::extent<Lanes>(units()));
    clear(adjoint.d_in, detail::extent<Lanes>(input_dim() + units()));
    clear(adjoint.d_h, detail::extent<Lanes>(units()));
  }

  template <typename Lanes>
  void output_backward(const Scalar* v, const Scalar* d_y, Scalar* d_v, Adjoint& adjoint) const {
    inner_.template output_backward<Lanes>(v, d_y, d_v, adjoint.inner);
  }

  template <typename Lanes, typename AnyScratch, typename StateAt>
  void step_backward(const Scalar* x, const Scalar* v, const Scalar* elapsed, StateAt at, Scalar* d_v, Scalar* d_x,
                     Scalar* d_elapsed, AnyScratch& scratch, Adjoint& adjoint) const {
    constexpr Scalar one(1);
    const Index room = detail::extent<Lanes>(units());
    const Index size = place<Lanes>(units());
    const Index inputs = place<Lanes>(input_dim());
    Scalar* const states = scratch.states.data();
    for (Index l = 0; l < states_per_step(); ++l) std::copy_n(at(l), size, states + l * room);
    std::copy_n(d_v, size, adjoint.d_h.data());
    pass_position(scratch);
    inner_.template step_backward<Lanes>(
        x, states, elapsed, [=](Index l) { return states + (l + 1) * room; }, adjoint.d_h.data(), d_x, d_elapsed,
        scratch.inner, adjoint.inner);

    gates().template open<Lanes>(x, v, scratch);
    const auto i = view<Lanes>(scratch.gate[0]), ig = view<Lanes>(scratch.gate[1]), fg = view<Lanes>(scratch.gate[2]),
               og = view<Lanes>(scratch.gate[3]);
    auto d_i = view<Lanes>(adjoint.d_gate[0]), d_ig = view<Lanes>(adjoint.d_gate[1]),
         d_fg = view<Lanes>(adjoint.d_gate[2]), d_og = view<Lanes>(adjoint.d_gate[3]);
    const ConstVectorView<Scalar> c(v + size, size), new_c(at(0) + size, size), d_h(adjoint.d_h.data(), size);
    VectorView<Scalar> d_c(d_v + size, size), memory(scratch.memory.data(), size);
    memory = new_c.tanh();
    d_og = d_h * memory * og * (one - og);
    d_c += d_h * og * (one - memory.square());
    d_i = d_c * ig * (one - i.square());
    d_ig = d_c * i * ig * (one - ig);
    d_fg = d_c * c * fg * (one - fg);
    d_c *= fg;
    std::fill_n(adjoint.d_in.data(), adjoint.d_in.size(), Scalar(0));
    const detail::MapPointers<const Scalar, 4> d_gates{d_i.data(), d_ig.data(), d_fg.data(), d_og.data()};
    gates_.view().template backward<Lanes>(d_gates, adjoint.d_in.data());
    adjoint.gate.template record<Lanes>(scratch.in.data(), d_gates);
    for (Index f = 0; f < inputs; ++f) d_x[f] += adjoint.d_in[f];
    std::copy_n(adjoint.d_in.data() + inputs, size, d_v);
  }

  template <typename Lanes>
  void collect(Adjoint& adjoint, const Scalar* parameters, Scalar* gradient) const {
    inner_.template collect<Lanes>(adjoint.inner, parameters, gradient);
    auto& sums = adjoint.gate;
    sums.template finish<Lanes>();
    for (int k = 0; k < 4; ++k) {
      sums.collect_weight(k, gradient + place_.input_weight + k * units(), 4 * units(), 0, input_dim());
      sums.collect_weight(k, gradient + place_.recurrent_weight + k * units(), 4 * units(), input_dim(), units());
      sums.collect_bias(k, gradient + place_.input_bias + k * units());
    }
  }

 private:
  [[nodiscard]] detail::MemoryGates<Scalar> gates() const noexcept { return {gates_.view()}; }

  template <typename Lanes>
  [[nodiscard]] static constexpr Index place(Index neuron) {
    return Lanes::at(neuron, 0);
  }
  /// The values of all neurons, without those that only fill up a packet.
  template <typename Lanes>
  [[nodiscard]] VectorView<Scalar> view(Buffer<Scalar>& values) const {
    return {values.data(), place<Lanes>(units())};
  }
  static void clear(Buffer<Scalar>& values, Index size) {
    values.resize(size);
    std::fill_n(values.data(), size, Scalar(0));
  }
  template <typename AnyScratch>
  static void pass_position([[maybe_unused]] AnyScratch& scratch) {
    if constexpr (requires { scratch.inner.position; }) scratch.inner.position = scratch.position;
  }

  Inner inner_;
  ParameterList<> parameters_;
  detail::LSTMPlace place_;
  detail::Linear<Scalar, 4> gates_;  // see MemoryGates
};

}  // namespace elegans
