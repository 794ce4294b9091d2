// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/cell/cfc/options.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/simd/activate.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans::detail {

/// Where the values of a CfC's neurons are, whole packets each.
template <typename Pointer>
struct CfCHeadValues {
  Pointer f1, f2;  ///< tanh(ff1) (pure: ff1), tanh(ff2)
  Pointer a, t;    ///< time_a; the gate (pure: the exponential)
  Pointer h;       ///< the new state
};

/// What neurons of a CfC make of their features x, on weights that lie somewhere else. With every head a linear map
/// of x,
///
///     standard:  h = tanh(ff1) (1 - t) + t tanh(ff2),   t = sigmoid(time_a dt + time_b)
///     no_gate:   h = tanh(ff1) + t tanh(ff2)
///     pure:      h = -A exp(-dt (|w_tau| + |ff1|)) ff1 + A
///
/// Hasani et al., Closed-form continuous-time neural networks, Nature Machine Intelligence 2022;
/// `ncps.torch.CfCCell`.
template <typename Scalar>
struct CfCHeads {
  CfCMode mode = CfCMode::standard;
  LinearView<Scalar, 4> gated{};  ///< ff1, ff2, time_a, time_b; unused if pure
  LinearView<Scalar> pure{};      ///< ff1, if pure
  const Scalar* w_tau = nullptr;  ///< |w_tau|, whole packets, if pure
  const Scalar* A = nullptr;

  [[nodiscard]] constexpr Index units() const noexcept { return mode == CfCMode::pure ? pure.outputs : gated.outputs; }

  /// \param x        features
  /// \param elapsed  a sample
  /// \param own      written; what the mode has no use for may be null
  template <typename Lanes>
  void forward(const Scalar* x, const Scalar* elapsed, const CfCHeadValues<Scalar*>& own) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    const P dt = Lanes::per_sample(elapsed);
    if (mode == CfCMode::pure) {
      pure.template forward<Lanes>(x, {own.f1});
      for (Index block = 0; block < Lanes::blocks(units()); ++block) {
        const Index i = block * Lanes::lanes;
        const P f1 = load<P>(own.f1 + i);
        const P asymptote = Lanes::per_neuron(A, block);
        const P rate = padd(Lanes::per_neuron(w_tau, block), pabs(f1));
        const P decay = packet_exp<P>(pnegate(pmul(dt, rate)));
        store<P>(own.t + i, decay);
        store<P>(own.h + i, psub(asymptote, pmul(pmul(asymptote, decay), f1)));
      }
      return;
    }
    gated.template forward<Lanes>(x, {own.f1, own.f2, own.a, own.t});
    with_gate([&]<bool standard>() {
      for (Index i = 0; i < extent<Lanes>(units()); i += Lanes::lanes) {
        const P first = packet_tanh<P>(load<P>(own.f1 + i));
        const P second = packet_tanh<P>(load<P>(own.f2 + i));
        const P gate = sigmoid<P>(pmadd(load<P>(own.a + i), dt, load<P>(own.t + i)));
        P h = pmadd(gate, second, first);
        if constexpr (standard) h = pmadd(gate, second, psub(first, pmul(first, gate)));
        store<P>(own.f1 + i, first);
        store<P>(own.f2 + i, second);
        store<P>(own.t + i, gate);
        store<P>(own.h + i, h);
      }
    });
  }

  /// After a `forward`: from sums.d_h to the adjoints of the heads, and adds to sums.A and sums.w_tau (if pure), to
  /// d_elapsed, a sample, and to d_x.
  ///
  /// \param d_z  of each head, in the order of `gated`, written; if pure, only the first
  template <typename Lanes, typename Sums>
  void backward(const Scalar* elapsed, const CfCHeadValues<const Scalar*>& own, const MapPointers<Scalar, 4>& d_z,
                Sums& sums, Scalar* d_elapsed, Scalar* d_x) const {
    using P = typename Lanes::Packet;
    using namespace Eigen::internal;
    const P one = broadcast<P>(Scalar(1));
    Scalar *const d_f1 = d_z[0], *const d_f2 = d_z[1], *const d_a = d_z[2], *const d_b = d_z[3];
    const P dt = Lanes::per_sample(elapsed);
    P d_dt = broadcast<P>(Scalar(0));
    if (mode == CfCMode::pure) {
      for (Index block = 0; block < Lanes::blocks(units()); ++block) {
        const Index i = block * Lanes::lanes;
        const P f1 = load<P>(own.f1 + i), decay = load<P>(own.t + i);
        const P d_h = load<P>(sums.d_h.data() + i);
        const P d_product = pmul(pmul(d_h, Lanes::per_neuron(A, block)), decay);  // of -decay f1
        const P d_exponent = pmul(d_product, f1);                                 // of dt (|w_tau| + |f1|)
        add_to<P>(sums.A.data() + i, pmul(d_h, psub(one, pmul(decay, f1))));
        add_to<P>(sums.w_tau.data() + i, pmul(d_exponent, dt));
        d_dt = pmadd(d_exponent, padd(Lanes::per_neuron(w_tau, block), pabs(f1)), d_dt);
        store<P>(d_f1 + i, pmul(d_product, psub(pmul(dt, pabs(f1)), one)));
      }
      pure.template backward<Lanes>({d_f1}, d_x);
    } else {
      with_gate([&]<bool standard>() {
        for (Index i = 0; i < extent<Lanes>(units()); i += Lanes::lanes) {
          const P f1 = load<P>(own.f1 + i), f2 = load<P>(own.f2 + i);
          const P gate = load<P>(own.t + i), d_h = load<P>(sums.d_h.data() + i);
          P d_first = d_h;
          P difference = f2;
          if constexpr (standard) {
            d_first = pmul(d_h, psub(one, gate));
            difference = psub(f2, f1);
          }
          const P d_time = pmul(pmul(pmul(d_h, difference), gate), psub(one, gate));
          store<P>(d_f1 + i, pmul(d_first, psub(one, pmul(f1, f1))));
          store<P>(d_f2 + i, pmul(pmul(d_h, gate), psub(one, pmul(f2, f2))));
          store<P>(d_a + i, pmul(d_time, dt));
          store<P>(d_b + i, d_time);
          d_dt = pmadd(d_time, load<P>(own.a + i), d_dt);
        }
      });
      gated.template backward<Lanes>({d_f1, d_f2, d_a, d_b}, d_x);
    }
    Lanes::add_to_samples(d_elapsed, d_dt);
  }

 private:
  /// Calls body<standard>(). A condition on packets at run time would be an instruction a packet, and g++ 12 at -O2 for
  /// AVX-512 makes one of it that takes the lanes after the first from the wrong side.
  template <typename Body>
  void with_gate(Body&& body) const {
    if (mode == CfCMode::standard) {
      body.template operator()<true>();
    } else {
      body.template operator()<false>();
    }
  }
};

}  // namespace elegans::detail
