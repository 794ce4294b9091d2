// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans::detail {

// mutate all: gated.gru_gates
/// The gates of a GRU, whose weights belong to somebody else: see `GRUCell`.
template <typename Scalar>
struct GRUGates {
  LinearView<Scalar> of_x, of_h;  ///< r, z and n, one below the other

  /// The values of each gate, one gate behind the other.
  template <typename Value>
  struct Values {
    Value *r, *z, *n;
    Values(Value* values, Index size) noexcept : r(values), z(values + size), n(values + 2 * size) {}
  };

  [[nodiscard]] constexpr Index units() const noexcept { return of_h.inputs; }

  /// Computes the gates.
  ///
  /// \param own  written: of_h = the maps of h, and of_x = r, z and n
  template <LaneLayout Lanes, typename AnyScratch>
  void open(const Scalar* x, const Scalar* h, AnyScratch& own) const {
    const Index size = Lanes::index(units(), 0);
    of_x.template forward<Lanes>(x, {own.of_x.data()});
    of_h.template forward<Lanes>(h, {own.of_h.data()});
    const Values<Scalar> gate(own.of_x.data(), size);
    const Values<const Scalar> from_h(own.of_h.data(), size);
    for_each_packet<typename Lanes::Packet>(size, [&]<typename P>(Index i) {
      const P r = sigmoid(load<P>(gate.r + i) + load<P>(from_h.r + i));
      store(gate.z + i, sigmoid(load<P>(gate.z + i) + load<P>(from_h.z + i)));
      store(gate.n + i, tanh(fma(r, load<P>(from_h.n + i), load<P>(gate.n + i))));
      store(gate.r + i, r);
    });
  }

  /// One step. \param new_h  written, never behind the last neuron
  template <LaneLayout Lanes, typename AnyScratch>
  void forward(const Scalar* x, const Scalar* h, Scalar* new_h, AnyScratch& own) const {
    open<Lanes>(x, h, own);
    const Index size = Lanes::index(units(), 0);
    const Values<const Scalar> gate(own.of_x.data(), size);
    for_each_packet<typename Lanes::Packet>(size, [&]<typename P>(Index i) {
      const P n = load<P>(gate.n + i);
      store(new_h + i, fma(load<P>(gate.z + i), load<P>(h + i) - n, n));
    });
  }
};

}  // namespace elegans::detail
