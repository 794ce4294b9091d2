// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <elegans/core/types.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/simd/activate.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans::detail {

// mutate all: memory.gates
/// The gates of an LSTM, whose weights belong to somebody else. With i, ig, fg and og linear maps of [x, h],
///
///     c <- c sigmoid(fg + forget_bias) + tanh(i) sigmoid(ig),    h <- tanh(c) sigmoid(og)
///
/// `ncps.torch.LSTMCell` adds a forget bias of 1; PyTorch's `nn.LSTM` adds none.
template <typename Scalar>
struct MemoryGates {
  LinearView<Scalar, 4> maps;  ///< i, ig, fg, og
  Scalar forget_bias = Scalar(1);

  [[nodiscard]] constexpr Index units() const noexcept { return maps.outputs; }
  [[nodiscard]] constexpr Index input_dim() const noexcept { return maps.inputs - maps.outputs; }

  /// Computes the gates.
  ///
  /// \param state  h and c, side by side
  /// \param own    written: in = [x, h], and gate = tanh(i), sigmoid(ig), sigmoid(fg + forget_bias), sigmoid(og)
  template <LaneLayout Lanes, typename AnyScratch>
  void open(const Scalar* x, const Scalar* state, AnyScratch& own) const {
    using P = typename Lanes::Packet;
    const Index inputs = Lanes::index(input_dim(), 0);
    std::copy_n(x, inputs, own.in.data());
    std::copy_n(state, Lanes::index(units(), 0), own.in.data() + inputs);
    Scalar *const i = own.gate[0].data(), *const ig = own.gate[1].data(), *const fg = own.gate[2].data(),
                  *const og = own.gate[3].data();
    maps.template forward<Lanes>(own.in.data(), {i, ig, fg, og});
    const P bias(forget_bias);
    for (Index k = 0; k < extent<Lanes>(units()); k += Lanes::lanes) {
      store(i + k, tanh(load<P>(i + k)));
      store(ig + k, sigmoid(load<P>(ig + k)));
      store(fg + k, sigmoid(load<P>(fg + k) + bias));
      store(og + k, sigmoid(load<P>(og + k)));
    }
  }

  /// One step.
  ///
  /// \param h  the new h, written; not where the state is
  /// \return the new c, which stays in `own` until the next call
  template <LaneLayout Lanes, typename AnyScratch>
  const Scalar* forward(const Scalar* x, const Scalar* state, Scalar* h, AnyScratch& own) const {
    open<Lanes>(x, state, own);
    // Do not copy whole packets, because the state ends behind the last neuron.
    const Index size = Lanes::index(units(), 0);
    Scalar* const c = own.in.data();
    for_each_packet<typename Lanes::Packet>(size, [&]<typename P>(Index i) {
      const auto gate = [&](int k) { return load<P>(own.gate[k].data() + i); };
      const P new_c = fma(load<P>(state + size + i), gate(2), gate(0) * gate(1));
      store(c + i, new_c);
      store(h + i, tanh(new_c) * gate(3));
    });
    return c;
  }

  /// The adjoint of `forward`. Call `open` first.
  ///
  /// \param c, new_c  (units) before the step and after it
  /// \param d_h       (units) of the new h
  /// \param d_c       (units) of the new c; overwritten with that of c
  /// \param d_gate    (units) of i, ig, fg and og, written
  template <LaneLayout Lanes, typename AnyScratch>
  void backward(const Scalar* c, const Scalar* new_c, const Scalar* d_h, Scalar* d_c, const AnyScratch& own,
                const MapPointers<Scalar, 4>& d_gate) const {
    Scalar *const d_i = d_gate[0], *const d_ig = d_gate[1], *const d_fg = d_gate[2], *const d_og = d_gate[3];
    for_each_packet<typename Lanes::Packet>(Lanes::index(units(), 0), [&]<typename P>(Index k) {
      const P one(Scalar(1));
      const P i = load<P>(own.gate[0].data() + k), ig = load<P>(own.gate[1].data() + k);
      const P fg = load<P>(own.gate[2].data() + k), og = load<P>(own.gate[3].data() + k);
      const P tanh_c = tanh(load<P>(new_c + k)), of_h = load<P>(d_h + k);
      const P of_c = fma(of_h * og, one - tanh_c * tanh_c, load<P>(d_c + k));
      store(d_og + k, of_h * tanh_c * og * (one - og));
      store(d_i + k, of_c * ig * (one - i * i));
      store(d_ig + k, of_c * i * ig * (one - ig));
      store(d_fg + k, of_c * load<P>(c + k) * fg * (one - fg));
      store(d_c + k, of_c * fg);
    });
  }
};

}  // namespace elegans::detail
