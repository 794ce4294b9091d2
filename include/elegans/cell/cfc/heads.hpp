// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/cell/cfc/options.hpp>
#include <elegans/core/activation.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/simd/activate.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans::detail {

/// Pointers to the values of a CfC's neurons, each in whole packets.
template <typename Pointer>
struct CfCHeadValues {
  Pointer f1, f2;  ///< g(ff1), g(ff2); in a pure CfC f1 is ff1
  Pointer a, t;    ///< time_a; the time gate t; in a pure CfC t is the exponential
  Pointer h;       ///< the new state
};

// mutate all: cfc.heads
/// The heads of a CfC: they compute a new state h from features x. Each head is a linear map of x. The weights belong
/// to somebody else.
///
///     standard:  h = g(ff1) (1 - t) + t g(ff2),   t = sigmoid(time_a dt + time_b)
///     no_gate:   h = g(ff1) + t g(ff2)
///     pure:      h = -A exp(-dt (|w_tau| + |ff1|)) ff1 + A
///
/// dt is the elapsed time, g is tanh in ncps and lecun_tanh in the paper's code. That code has -time_a in the gate: to
/// take over its weights, negate those of time_a. Hasani et al., Closed-form continuous-time neural networks, Nature
/// Machine Intelligence 2022; `ncps.torch.CfCCell`.
template <typename Scalar>
struct CfCHeads {
  CfCMode mode = CfCMode::standard;
  LinearView<Scalar, 4> gated{};  ///< ff1, ff2, time_a, time_b; not used if pure
  LinearView<Scalar> pure{};      ///< ff1, if pure
  const Scalar* w_tau = nullptr;  ///< |w_tau|, whole packets, if pure
  const Scalar* A = nullptr;
  Activation activation = Activation::tanh;  ///< g: tanh or lecun_tanh

  [[nodiscard]] constexpr Index units() const noexcept { return mode == CfCMode::pure ? pure.outputs : gated.outputs; }

  /// \param x        features
  /// \param elapsed  per sample
  /// \param own      written; values that the mode does not have may be null
  template <LaneLayout Lanes>
  void forward(const Scalar* x, const Scalar* elapsed, const CfCHeadValues<Scalar*>& own) const {
    using P = typename Lanes::Packet;
    const P dt = Lanes::per_sample(elapsed);
    if (mode == CfCMode::pure) {
      pure.template forward<Lanes>(x, {own.f1});
      for (Index block = 0; block < Lanes::blocks(units()); ++block) {
        const Index i = block * Lanes::lanes;
        const P f1 = load<P>(own.f1 + i);
        const P asymptote = Lanes::per_neuron(A, block);
        const P decay = exp(-(dt * (Lanes::per_neuron(w_tau, block) + absolute(f1))));
        store(own.t + i, decay);
        store(own.h + i, asymptote - asymptote * decay * f1);
      }
      return;
    }
    gated.template forward<Lanes>(x, {own.f1, own.f2, own.a, own.t});
    with_form([&]<bool standard, Activation g>() {
      for (Index i = 0; i < extent<Lanes>(units()); i += Lanes::lanes) {
        const P f1 = activated<g>(load<P>(own.f1 + i));
        const P f2 = activated<g>(load<P>(own.f2 + i));
        const P t = sigmoid(fma(load<P>(own.a + i), dt, load<P>(own.t + i)));
        P h = fma(t, f2, f1);
        if constexpr (standard) h = fma(t, f2, f1 - f1 * t);
        store(own.f1 + i, f1);
        store(own.f2 + i, f2);
        store(own.t + i, t);
        store(own.h + i, h);
      }
    });
  }

  /// The adjoint of `forward`, from sums.d_h. Adds to sums.A and sums.w_tau (if pure), to d_elapsed and to d_x.
  ///
  /// \param own  as `forward` left it
  /// \param d_z  adjoints of the heads, in the order of `gated`, written; if pure, the first alone
  template <LaneLayout Lanes, typename Sums>
  void backward(const Scalar* elapsed, const CfCHeadValues<const Scalar*>& own, const MapPointers<Scalar, 4>& d_z,
                Sums& sums, Scalar* d_elapsed, Scalar* d_x) const {
    using P = typename Lanes::Packet;
    const P one(Scalar(1));
    Scalar *const d_f1 = d_z[0], *const d_f2 = d_z[1], *const d_a = d_z[2], *const d_b = d_z[3];
    const P dt = Lanes::per_sample(elapsed);
    P d_dt(Scalar(0));
    if (mode == CfCMode::pure) {
      for (Index block = 0; block < Lanes::blocks(units()); ++block) {
        const Index i = block * Lanes::lanes;
        const P f1 = load<P>(own.f1 + i), decay = load<P>(own.t + i);
        const P d_h = load<P>(sums.d_h.data() + i);
        const P d_product = d_h * Lanes::per_neuron(A, block) * decay;  // of -decay f1
        const P d_exponent = d_product * f1;                            // of dt (|w_tau| + |f1|)
        add_to(sums.A.data() + i, d_h * (one - decay * f1));
        add_to(sums.w_tau.data() + i, d_exponent * dt);
        d_dt = fma(d_exponent, Lanes::per_neuron(w_tau, block) + absolute(f1), d_dt);
        store(d_f1 + i, d_product * (dt * absolute(f1) - one));
      }
      pure.template backward<Lanes>({d_f1}, d_x);
    } else {
      with_form([&]<bool standard, Activation g>() {
        for (Index i = 0; i < extent<Lanes>(units()); i += Lanes::lanes) {
          const P f1 = load<P>(own.f1 + i), f2 = load<P>(own.f2 + i);
          const P t = load<P>(own.t + i), d_h = load<P>(sums.d_h.data() + i);
          P d_first = d_h;
          P difference = f2;
          if constexpr (standard) {
            d_first = d_h * (one - t);
            difference = f2 - f1;
          }
          const P d_time = d_h * difference * t * (one - t);
          store(d_f1 + i, d_first * slope<g>(f1));
          store(d_f2 + i, d_h * t * slope<g>(f2));
          store(d_a + i, d_time * dt);
          store(d_b + i, d_time);
          d_dt = fma(d_time, load<P>(own.a + i), d_dt);
        }
      });
      gated.template backward<Lanes>({d_f1, d_f2, d_a, d_b}, d_x);
    }
    Lanes::add_to_samples(d_elapsed, d_dt);
  }

 private:
  /// g'(z), from g(z).
  template <Activation g, typename P>
  [[nodiscard]] static EIGEN_ALWAYS_INLINE P slope(const P& f) {
    if constexpr (g == Activation::lecun_tanh) {
      const P scale(lecun_scale<Scalar>);
      return P(lecun_slope<Scalar> / lecun_scale<Scalar>) * (scale - f) * (scale + f);
    } else {
      return P(Scalar(1)) - f * f;
    }
  }

  /// Calls body<standard, g>(), so that the compiler knows mode and activation. A choice at run time would cost an
  /// instruction per packet, and g++ 12 at -O2 for AVX-512 gets it wrong: it takes all lanes but the first from the
  /// other branch.
  template <typename Body>
  void with_form(Body&& body) const {
    const auto with_mode = [&]<Activation g>() {
      if (mode == CfCMode::standard) {
        body.template operator()<true, g>();
      } else {
        body.template operator()<false, g>();
      }
    };
    if (activation == Activation::lecun_tanh) {
      with_mode.template operator()<Activation::lecun_tanh>();
    } else {
      with_mode.template operator()<Activation::tanh>();
    }
  }
};

}  // namespace elegans::detail
