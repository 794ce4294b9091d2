// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include <elegans/cell/gated/cell.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/types.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/simd/activate.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans {

// mutate all: gated.gru
/// The gated recurrent unit. With r and z linear maps of [x, h], m a linear map of x, and k one of h,
///
///     n = tanh(m + sigmoid(r) k),    h <- n + sigmoid(z) (h - n)
///
/// The state is h, which is the output, too. Cho et al., EMNLP 2014, with the reset gate behind the map of h, as in
/// `torch.nn.GRU`. Users meet it through `GRU`.
template <typename ScalarType>
class GRUCell : public GatedCell<GRUCell<ScalarType>, ScalarType, 3> {
  using Base = GatedCell<GRUCell<ScalarType>, ScalarType, 3>;

 public:
  using Scalar = ScalarType;
  /// r, z, m and k. PyTorch's third gate has the weights of m for the inputs, and of k for the state.
  static constexpr std::array<detail::GateMap, 4> maps{{{0}, {1}, {2, true, false}, {2, false, true}}};

  using Base::Base;
  using Base::input_dim;
  using Base::units;
  [[nodiscard]] Index state_size() const noexcept { return units(); }

  template <LaneLayout Lanes, typename AnyScratch>
  void step(const Step<Lanes>& step, AnyScratch& scratch) const {
    open<Lanes>(step, scratch);
    const Scalar* const h = step.states(0);
    // Do not write whole packets, because the state may end behind the last neuron.
    for_each_packet<Lanes>([&]<typename P>(Index i) {
      const P z = gate<P>(scratch, 1, i), n = gate<P>(scratch, 2, i);
      detail::store(step.states(1) + i, fma(z, detail::load<P>(h + i) - n, n));
    });
  }

  /// From the adjoint of the state after a step to those of the maps, and to that of the state before, except for what
  /// the maps hand on.
  template <LaneLayout Lanes, typename AnyScratch>
  void gates_backward(const Step<Lanes>& step, Scalar* d_state, AnyScratch& scratch,
                      const detail::MapPointers<Scalar, 4>& d_gate) const {
    open<Lanes>(step, scratch);
    Scalar *const d_r = d_gate[0], *const d_z = d_gate[1], *const d_m = d_gate[2], *const d_k = d_gate[3];
    const Scalar* const h = step.states(0);
    for_each_packet<Lanes>([&]<typename P>(Index i) {
      const P one(Scalar(1));
      const P r = gate<P>(scratch, 0, i), z = gate<P>(scratch, 1, i);
      const P n = gate<P>(scratch, 2, i), k = gate<P>(scratch, 3, i);
      const P d_h = detail::load<P>(d_state + i);
      const P d_before_tanh = d_h * (one - z) * (one - n * n);
      detail::store(d_r + i, d_before_tanh * k * r * (one - r));
      detail::store(d_z + i, d_h * (detail::load<P>(h + i) - n) * z * (one - z));
      detail::store(d_m + i, d_before_tanh);
      detail::store(d_k + i, d_before_tanh * r);
      detail::store(d_state + i, d_h * z);
    });
  }

 private:
  /// Computes sigmoid(r), sigmoid(z), n and k, from [x, h].
  template <LaneLayout Lanes, typename AnyScratch>
  void open(const Step<Lanes>& step, AnyScratch& scratch) const {
    using P = typename Lanes::Packet;
    const Index inputs = Lanes::index(input_dim(), 0);
    std::copy_n(step.x, inputs, scratch.in.data());
    std::copy_n(step.states(0), Lanes::index(units(), 0), scratch.in.data() + inputs);
    Scalar *const r = scratch.gate[0].data(), *const z = scratch.gate[1].data(), *const n = scratch.gate[2].data(),
                  *const k = scratch.gate[3].data();
    this->maps_view().template forward<Lanes>(scratch.in.data(), {r, z, n, k});
    for (Index i = 0; i < detail::extent<Lanes>(units()); i += Lanes::lanes) {
      const P opened = detail::sigmoid(detail::load<P>(r + i));
      detail::store(r + i, opened);
      detail::store(z + i, detail::sigmoid(detail::load<P>(z + i)));
      detail::store(n + i, detail::tanh(fma(opened, detail::load<P>(k + i), detail::load<P>(n + i))));
    }
  }

  /// Calls body<P>(i) for the values of all neurons.
  template <LaneLayout Lanes, typename Body>
  void for_each_packet(Body&& body) const {
    detail::for_each_packet<typename Lanes::Packet>(Lanes::index(units(), 0), body);
  }
  template <typename P, typename AnyScratch>
  [[nodiscard]] static EIGEN_ALWAYS_INLINE P gate(const AnyScratch& scratch, int k, Index i) {
    return detail::load<P>(scratch.gate[k].data() + i);
  }
};

}  // namespace elegans
