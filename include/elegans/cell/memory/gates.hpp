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

/// An LSTM's step on weights that lie somewhere else. With i, ig, fg, og linear maps of [x, h],
///
///     c <- c sigmoid(fg + 1) + tanh(i) sigmoid(ig),    h <- tanh(c) sigmoid(og)
///
/// `ncps.torch.LSTMCell`.
template <typename Scalar>
struct MemoryGates {
  LinearView<Scalar, 4> maps;  ///< i, ig, fg, og

  [[nodiscard]] constexpr Index units() const noexcept { return maps.outputs; }
  [[nodiscard]] constexpr Index input_dim() const noexcept { return maps.inputs - maps.outputs; }

  /// The gates. \param v  h and c, side by side
  /// \param own  written: in = [x, h], and gate = tanh(i), sigmoid(ig), sigmoid(fg + 1), sigmoid(og)
  template <typename Lanes, typename AnyScratch>
  void open(const Scalar* x, const Scalar* v, AnyScratch& own) const {
    using P = typename Lanes::Packet;
    const Index inputs = Lanes::at(input_dim(), 0);
    std::copy_n(x, inputs, own.in.data());
    std::copy_n(v, Lanes::at(units(), 0), own.in.data() + inputs);
    Scalar *const i = own.gate[0].data(), *const ig = own.gate[1].data(), *const fg = own.gate[2].data(),
                  *const og = own.gate[3].data();
    maps.template forward<Lanes>(own.in.data(), {i, ig, fg, og});
    const P one = broadcast<P>(Scalar(1));
    for (Index k = 0; k < extent<Lanes>(units()); k += Lanes::lanes) {
      store<P>(i + k, packet_tanh<P>(load<P>(i + k)));
      store<P>(ig + k, sigmoid<P>(load<P>(ig + k)));
      store<P>(fg + k, sigmoid<P>(Eigen::internal::padd(load<P>(fg + k), one)));
      store<P>(og + k, sigmoid<P>(load<P>(og + k)));
    }
  }

  /// One step. \param h  written, may not be where v is
  /// \return the new c, which stays in `own` until the next call
  template <typename Lanes, typename AnyScratch>
  const Scalar* forward(const Scalar* x, const Scalar* v, Scalar* h, AnyScratch& own) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    open<Lanes>(x, v, own);
    // Only whole neurons: what fills up their last packet is not there in v.
    const Index size = Lanes::at(units(), 0);
    Scalar* const c = own.in.data();
    for_each_packet<P>(size, [&]<typename Any>(Index i) {
      const auto gate = [&](int k) { return load<Any>(own.gate[k].data() + i); };
      const Any now = pmadd(load<Any>(v + size + i), gate(2), pmul(gate(0), gate(1)));
      store<Any>(c + i, now);
      store<Any>(h + i, pmul(packet_tanh<Any>(now), gate(3)));
    });
    return c;
  }
};

}  // namespace elegans::detail
