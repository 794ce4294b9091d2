// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

/// The coefficients of an explicit Runge-Kutta method in which each stage needs only the stage before it:
///
///     k[s] = f(v + reach[s] h k[s - 1]),   v' = v + h sum_s weight[s] k[s]
struct Tableau {
  int stages;
  double reach[4];
  double weight[4];
};

inline constexpr Tableau explicit_euler_tableau{1, {0}, {1}};
// mutate: ltc.classical_tableau
inline constexpr Tableau classical_tableau{4, {0, 0.5, 0.5, 1}, {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}};

// mutate all: ltc.runge_kutta
/// The explicit solvers of the Runge-Kutta family, for f(v) = (N - v D) / cm with N and D of `Membrane`. They are those
/// of the LTC paper's code, except that there every sub-step has the length 0.1.
struct RungeKutta {
  static constexpr bool records = false;
  static constexpr bool adds_epsilon = false;

  Tableau tableau;
  int stages = tableau.stages;  ///< states per sub-step

  template <typename Scalar, int Capacity>
  struct Scratch {
    Buffer<Scalar, Capacity> start, slope;  ///< of a sub-step

    void reserve(Index extent) {
      start.resize(extent);
      slope.resize(extent);
    }
  };
  template <typename Scalar>
  struct Adjoint {
    Buffer<Scalar> d_before, d_start, d_stage;

    void reset(Index extent) {
      for (auto* values : {&d_before, &d_start, &d_stage}) values->resize(extent);
    }
  };

  /// See `SemiImplicit::step`.
  template <LaneLayout Lanes, typename AnyMembrane, typename MembraneScratch, typename AnyScratch>
  void step(const AnyMembrane& membrane, const typename Lanes::Packet& h, int unfolds, const Step<Lanes>& step,
            MembraneScratch& scratch, AnyScratch& own) const {
    using P = typename Lanes::Packet;
    using Scalar = typename Lanes::Scalar;
    const Index neurons = extent<Lanes>(membrane.units());
    Scalar* const start = own.start.data();
    Scalar* const slope = own.slope.data();
    const P zero(Scalar(0));
    // One stage: from the state before it to the next.
    const auto stage = [&]<bool last>(int s, const Scalar* before, Scalar* after) {
      const P weight(static_cast<Scalar>(tableau.weight[s]));
      const P reach(static_cast<Scalar>(last ? 1.0 : tableau.reach[s + 1]));
      membrane.template drive<Lanes>(before, scratch, nullptr, [=, &membrane](Index block, const P& n, const P& d) {
        const Index i = block * Lanes::lanes;
        P k = (n - load<P>(before + i) * d) / membrane.template cm<Lanes>(block);
        const P sum = fma(weight, k, load<P>(slope + i));
        store(slope + i, sum);
        // `last` is known to the compiler, because g++ 12 at -O2 for AVX-512 gets a choice at run time wrong: it takes
        // some lanes from the other branch.
        if constexpr (last) k = sum;
        const P from = load<P>(start + i);
        store(after + i, select(h == zero, from, fma(h * reach, k, from)));
      });
    };
    for (int l = 0; l < unfolds; ++l) {
      const Tape<Scalar> states = step.states.from(Index{l} * stages);
      // A copy, because a later stage may overwrite the state that the sub-step starts from.
      std::copy_n(states(0), neurons, start);
      std::fill_n(slope, neurons, Scalar(0));
      for (int s = 0; s + 1 < stages; ++s) stage.template operator()<false>(s, states(s), states(s + 1));
      stage.template operator()<true>(stages - 1, states(stages - 1), states(stages));
    }
  }

  /// The adjoint of `step`. With d the adjoint of a sub-step's end, slope k[s] has the adjoint h q, where
  /// q = weight[s] d + reach[s + 1] times the adjoint of the next stage's v. With r = h q / cm
  ///
  ///     dh += q k,   dN = r,   dD = -r v,   dcm = -r k,   dv = -r D + (through the gates)
  ///
  /// \return the adjoint of h
  template <LaneLayout Lanes, typename AnyMembrane, typename MembraneScratch, typename MembraneAdjoint,
            typename AnyScratch>
  [[nodiscard]] typename Lanes::Packet step_backward(const AnyMembrane& membrane, const typename Lanes::Packet& h,
                                                     int unfolds, const Step<Lanes>& step,
                                                     typename Lanes::Scalar* d_state, MembraneScratch& scratch,
                                                     MembraneAdjoint& sums, AnyScratch&,
                                                     Adjoint<typename Lanes::Scalar>& adjoint) const {
    using P = typename Lanes::Packet;
    using Scalar = typename Lanes::Scalar;
    const Index neurons = extent<Lanes>(membrane.units());
    Scalar* const d_start = adjoint.d_start.data();
    Scalar* const d_stage = adjoint.d_stage.data();
    Scalar* const d_before = adjoint.d_before.data();
    Scalar* const d_cm = sums.cm.data();
    P d_h(Scalar(0));
    for (int l = unfolds - 1; l >= 0; --l) {
      const Tape<Scalar> states = step.states.from(Index{l} * stages);
      std::copy_n(d_state, neurons, d_start);
      std::fill_n(d_stage, neurons, Scalar(0));
      for (int s = stages - 1; s >= 0; --s) {
        const Scalar* const before = states(s);
        const P weight(static_cast<Scalar>(tableau.weight[s]));
        const P reach(static_cast<Scalar>(s + 1 == stages ? 0.0 : tableau.reach[s + 1]));
        std::fill_n(d_before, neurons, Scalar(0));
        membrane.template drive_backward<Lanes>(
            before, scratch, nullptr,
            [=, &membrane, &d_h](Index block, const P& n, const P& d) {
              const Index i = block * Lanes::lanes;
              const P cm = membrane.template cm<Lanes>(block);
              const P v = load<P>(before + i);
              const P q = fma(weight, load<P>(d_state + i), reach * load<P>(d_stage + i));
              const P k = (n - v * d) / cm;
              const P r = h * q / cm;
              d_h = fma(q, k, d_h);
              add_to(d_cm + i, -(r * k));
              add_to(d_before + i, -(r * d));
              return std::pair<P, P>{r, -(r * v)};
            },
            d_before, sums);
        VectorView<Scalar>(d_start, neurons) += ConstVectorView<Scalar>(d_before, neurons);
        std::copy_n(d_before, neurons, d_stage);
      }
      std::copy_n(d_start, neurons, d_state);
    }
    return d_h;
  }
};

}  // namespace elegans::detail
