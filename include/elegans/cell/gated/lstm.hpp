// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/cell/gated/cell.hpp>
#include <elegans/cell/memory/gates.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/types.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/kernel/linear/linear_adjoint.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

// mutate all: gated.lstm
/// The long short-term memory cell. With i, f, g and o linear maps of [x, h],
///
///     c <- sigmoid(f) c + sigmoid(i) tanh(g),    h <- sigmoid(o) tanh(c)
///
/// The state is (h, c), side by side, and h is the output. Hochreiter and Schmidhuber, Neural Computation 1997, with
/// the forget gate of Gers, Schmidhuber and Cummins, 2000; `torch.nn.LSTM`. Users meet it through `LSTM`.
template <typename ScalarType>
class LSTMCell : public GatedCell<ScalarType, 4> {
  using Base = GatedCell<ScalarType, 4>;

 public:
  using Scalar = ScalarType;

  template <int NeuronCapacity = Dynamic, int InputCapacity = Dynamic>
  struct Scratch {
    Buffer<Scalar> in;       ///< [x, h]
    Buffer<Scalar> gate[4];  ///< see MemoryGates::open
  };
  using SingleScratch = Scratch<>;

  struct Adjoint {
    detail::LinearAdjoint<Scalar, 4> maps;
    Buffer<Scalar> d_gate[4];
    Buffer<Scalar> d_in;
  };

  /// A cell of these sizes, each at least 1. Its parameters are not packed yet.
  /// \throws InvalidArgument if the forget bias is not finite
  LSTMCell(Index neurons, Index inputs, const GatedOptions& options)
      : Base(neurons, inputs, options), maps_(neurons, inputs + neurons) {
    if (!detail::is_finite(options.forget_bias)) {
      detail::refuse("LSTM: forget_bias must be finite, got ", options.forget_bias);
    }
    bias_.resize(neurons);
  }

  using Base::input_dim;
  using Base::units;
  [[nodiscard]] Index state_size() const noexcept { return 2 * units(); }
  /// g, i, f and o: linear maps of [x, h].
  [[nodiscard]] const detail::Linear<Scalar, 4>& gate_maps() const noexcept { return maps_; }

  void initialize(Scalar* parameters) const {
    Base::initialize(parameters);
    Scalar* const bias = parameters + this->offsets(forget_gate).bias_of_x;
    for (Index i = 0; i < units(); ++i) bias[i] += static_cast<Scalar>(this->options().forget_bias);
  }

  /// Packs new parameters. Batches and single samples use the same form.
  void pack(const Scalar* parameters, bool) {
    for (int k = 0; k < 4; ++k) {
      const auto [of_x, of_h, bias_of_x, bias_of_h] = this->offsets(gate_of(k));
      maps_.pack_weight(k, parameters + of_x, this->rows(), 0, input_dim());
      maps_.pack_weight(k, parameters + of_h, this->rows(), input_dim(), units());
      for (Index i = 0; i < units(); ++i) bias_[i] = parameters[bias_of_x + i] + parameters[bias_of_h + i];
      maps_.pack_bias(k, bias_.data());
    }
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void reserve(AnyScratch& scratch) const {
    scratch.in.resize(detail::extent<Lanes>(input_dim() + units()));
    for (auto& gate : scratch.gate) gate.resize(detail::extent<Lanes>(units()));
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void step(const Step<Lanes>& step, AnyScratch& scratch) const {
    const Index size = Lanes::index(units(), 0);
    const Scalar* const new_c = gates().template forward<Lanes>(step.x, step.states(0), step.states(1), scratch);
    std::copy_n(new_c, size, step.states(1) + size);
  }

  template <LaneLayout Lanes>
  void reset(Adjoint& adjoint) const {
    const auto clear = [](Buffer<Scalar>& values, Index size) {
      values.resize(size);
      std::fill_n(values.data(), size, Scalar(0));
    };
    adjoint.maps.template reset<Lanes>(maps_);
    for (auto& d_gate : adjoint.d_gate) clear(d_gate, detail::extent<Lanes>(units()));
    clear(adjoint.d_in, detail::extent<Lanes>(input_dim() + units()));
  }

  template <LaneLayout Lanes, typename AnyScratch>
  void step_backward(const Step<Lanes>& step, const StepAdjoint<Lanes>& d, AnyScratch& scratch,
                     Adjoint& adjoint) const {
    const Index size = Lanes::index(units(), 0), inputs = Lanes::index(input_dim(), 0);
    auto& [d_i, d_ig, d_fg, d_og] = adjoint.d_gate;
    gates().template open<Lanes>(step.x, step.states(0), scratch);
    gates().template backward<Lanes>(step.states(0) + size, step.states(1) + size, d.d_state, d.d_state + size, scratch,
                                     {d_i.data(), d_ig.data(), d_fg.data(), d_og.data()});
    const detail::MapPointers<const Scalar, 4> d_z{d_i.data(), d_ig.data(), d_fg.data(), d_og.data()};
    std::fill_n(adjoint.d_in.data(), adjoint.d_in.size(), Scalar(0));
    maps_.view().template backward<Lanes>(d_z, adjoint.d_in.data());
    adjoint.maps.template append<Lanes>(scratch.in.data(), d_z);
    std::copy_n(adjoint.d_in.data(), inputs, d.d_x);
    std::copy_n(adjoint.d_in.data() + inputs, size, d.d_state);
    std::fill_n(d.d_elapsed, Lanes::samples, Scalar(0));
  }

  template <LaneLayout Lanes>
  void collect(Adjoint& adjoint, const Scalar*, Scalar* gradient) const {
    auto& sums = adjoint.maps;
    sums.template sum_up<Lanes>();
    for (int k = 0; k < 4; ++k) {
      const auto [of_x, of_h, bias_of_x, bias_of_h] = this->offsets(gate_of(k));
      sums.add_weight_gradient(k, gradient + of_x, this->rows(), 0, input_dim());
      sums.add_weight_gradient(k, gradient + of_h, this->rows(), input_dim(), units());
      for (const Index bias : {bias_of_x, bias_of_h}) sums.add_bias_gradient(k, gradient + bias);
    }
  }

 private:
  static constexpr int forget_gate = 1;

  /// PyTorch's gates are i, f, g and o. MemoryGates has g, i, f and o, and calls them i, ig, fg and og.
  [[nodiscard]] static constexpr int gate_of(int map) noexcept { return map == 0 ? 2 : map == 3 ? 3 : map - 1; }

  [[nodiscard]] detail::MemoryGates<Scalar> gates() const noexcept { return {maps_.view(), Scalar(0)}; }

  detail::Linear<Scalar, 4> maps_;  // of [x, h]
  Buffer<Scalar> bias_;             // of one map, while it is packed
};

}  // namespace elegans
