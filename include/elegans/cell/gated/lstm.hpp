// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include <elegans/cell/gated/cell.hpp>
#include <elegans/cell/memory/gates.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/types.hpp>
#include <elegans/kernel/linear/linear.hpp>
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
class LSTMCell : public GatedCell<LSTMCell<ScalarType>, ScalarType, 4> {
  using Base = GatedCell<LSTMCell<ScalarType>, ScalarType, 4>;

 public:
  using Scalar = ScalarType;
  /// MemoryGates' i, ig, fg and og, which PyTorch has as g, i, f and o, in the order i, f, g, o.
  static constexpr std::array<detail::GateMap, 4> maps{{{2}, {0}, {1}, {3}}};

  using Base::Base;
  using Base::units;
  [[nodiscard]] Index state_size() const noexcept { return 2 * units(); }

  template <LaneLayout Lanes, typename AnyScratch>
  void step(const Step<Lanes>& step, AnyScratch& scratch) const {
    const Index size = Lanes::index(units(), 0);
    const Scalar* const new_c = gates().template forward<Lanes>(step.x, step.states(0), step.states(1), scratch);
    std::copy_n(new_c, size, step.states(1) + size);
  }

  /// From the adjoint of the state after a step to those of the maps, and to that of the state before, except for what
  /// the maps hand on.
  template <LaneLayout Lanes, typename AnyScratch>
  void gates_backward(const Step<Lanes>& step, Scalar* d_state, AnyScratch& scratch,
                      const detail::MapPointers<Scalar, 4>& d_gate) const {
    const Index size = Lanes::index(units(), 0);
    gates().template open<Lanes>(step.x, step.states(0), scratch);
    gates().template backward<Lanes>(step.states(0) + size, step.states(1) + size, d_state, d_state + size, scratch,
                                     d_gate);
    std::fill_n(d_state, size, Scalar(0));
  }

 private:
  [[nodiscard]] detail::MemoryGates<Scalar> gates() const noexcept { return {this->maps_view(), Scalar(0)}; }
};

}  // namespace elegans
