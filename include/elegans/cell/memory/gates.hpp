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
///     c <- c sigmoid(fg + 1) + tanh(i) sigmoid(ig),    h <- tanh(c) sigmoid(og)
///
/// `ncps.torch.LSTMCell`.
template <typename Scalar>
struct MemoryGates {
  LinearView<Scalar, 4> maps;  ///< i, ig, fg, og

  [[nodiscard]] constexpr Index units() const noexcept { return maps.outputs; }
  [[nodiscard]] constexpr Index input_dim() const noexcept { return maps.inputs - maps.outputs; }

  /// Computes the gates.
  ///
  /// \param state  h and c, side by side
  /// \param own    written: in = [x, h], and gate = tanh(i), sigmoid(ig), sigmoid(fg + 1), sigmoid(og)
  template <LaneLayout Lanes, typename AnyScratch>
  void open(const Scalar* x, const Scalar* state, AnyScratch& own) const {
    using P = typename Lanes::Packet;
    const Index inputs = Lanes::index(input_dim(), 0);
    std::copy_n(x, inputs, own.in.data());
    std::copy_n(state, Lanes::index(units(), 0), own.in.data() + inputs);
    Scalar *const i = own.gate[0].data(), *const ig = own.gate[1].data(), *const fg = own.gate[2].data(),
                  *const og = own.gate[3].data();
    maps.template forward<Lanes>(own.in.data(), {i, ig, fg, og});
    const P one(Scalar(1));
    for (Index k = 0; k < extent<Lanes>(units()); k += Lanes::lanes) {
      store(i + k, tanh(load<P>(i + k)));
      store(ig + k, sigmoid(load<P>(ig + k)));
      store(fg + k, sigmoid(load<P>(fg + k) + one));
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
};

}  // namespace elegans::detail
