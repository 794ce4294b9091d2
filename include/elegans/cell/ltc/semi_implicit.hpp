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

// mutate all: ltc.semi_implicit
/// The fused solver of the LTC paper: semi-implicit Euler, which is stable for every length h of a sub-step.
///
///     v' = (cm v + h N) / (cm + h D),   N and D of `Membrane` at v
///
/// This is ncps' equation times h / h, so that an elapsed time of 0 needs no division by 0. Hasani et al., Liquid
/// Time-constant Networks, AAAI 2021, Algorithm 1; `ncps.torch.LTCCell._ode_solver`.
struct SemiImplicit {
  static constexpr int stages = 1;            ///< states per sub-step
  static constexpr bool records = true;       ///< the passes of a step can be recorded for its adjoint
  static constexpr bool adds_epsilon = true;  ///< to D, so that nothing is divided by 0

  template <typename Scalar, int Capacity>
  struct Scratch {
    void reserve(Index) {}
  };
  template <typename Scalar>
  struct Adjoint {
    Buffer<Scalar> d_other;  ///< of the states of every other sub-step

    void reset(Index extent) { d_other.resize(extent); }
  };

  /// \param h        length of a sub-step, per sample
  /// \param unfolds  number of sub-steps
  template <LaneLayout Lanes, typename AnyMembrane, typename MembraneScratch, typename AnyScratch>
  void step(const AnyMembrane& membrane, const typename Lanes::Packet& h, int unfolds, const Step<Lanes>& step,
            MembraneScratch& scratch, AnyScratch&) const {
    using P = typename Lanes::Packet;
    using Scalar = typename Lanes::Scalar;
    for (int l = 0; l < unfolds; ++l) {
      const Scalar* const before = step.states(l);
      Scalar* const after = step.states(l + 1);
      membrane.template drive<Lanes>(before, scratch, record_of(membrane, step, l),
                                     [=, &membrane](Index block, const P& n, const P& d) {
                                       const P v = load<P>(before + block * Lanes::lanes);
                                       const P cm = membrane.template cm<Lanes>(block);
                                       const P next = fma(h, n, cm * v) / fma(h, d, cm);
                                       store(after + block * Lanes::lanes, select(h == P(Scalar(0)), v, next));
                                     });
    }
  }

  /// The adjoint of `step`. With r = dLoss/dv', the adjoints of the fraction's numerator and denominator are gn and gd:
  ///
  ///     gn = r / (cm + h D),   gd = -gn v'
  ///     dN = h gn,   dD = h gd,   dh += gn N + gd D,   dcm += gn v + gd,   dv = cm gn + (through the gates)
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
    constexpr Index lanes = Lanes::lanes;
    const Index neurons = extent<Lanes>(membrane.units());
    const P zero(Scalar(0)), one(Scalar(1));
    Scalar* const d_cm = sums.cm.data();
    P d_h = zero;
    // The adjoint of the state before a sub-step is that of the state after the next one to visit, so the two swap
    // memory.
    Scalar* d_after = d_state;
    Scalar* d_before = adjoint.d_other.data();
    for (int l = unfolds - 1; l >= 0; --l) {
      const Scalar* const before = step.states(l);
      const Scalar* const after = step.states(l + 1);
      // In a batch, the synapses add to d_before before all neurons have responded, so it must start as zeros.
      for (Index i = 0; !Lanes::single && i < neurons; i += lanes) store(d_before + i, zero);
      membrane.template drive_backward<Lanes>(
          before, scratch, record_of(membrane, step, l),
          [=, &membrane, &d_h](Index block, const P& n, const P& d) {
            const Index i = block * lanes;
            const P cm = membrane.template cm<Lanes>(block);
            const P divisor = fma(h, d, cm);
            const P r = load<P>(d_after + i);
            // The divisor is 0 only for a neuron that nothing moves: one without capacitance, and without time or
            // conductance.
            const P gn = r / select(divisor == zero, one, divisor);
            const P gd = -(gn * load<P>(after + i));
            d_h = d_h + fma(gn, n, gd * d);
            add_to(d_cm + i, fma(gn, load<P>(before + i), gd));
            // If no time elapses, the state passes through, and so does its adjoint, even without capacitance.
            const P passed = select(h == zero, r, cm * gn);
            if constexpr (Lanes::single) {
              store(d_before + i, passed);
            } else {
              add_to(d_before + i, passed);
            }
            return std::pair<P, P>{h * gn, h * gd};
          },
          d_before, sums);
      std::swap(d_before, d_after);
    }
    if (d_after != d_state) std::copy_n(d_after, neurons, d_state);
    return d_h;
  }

 private:
  /// Memory for the record of a sub-step, or null.
  template <LaneLayout Lanes, typename AnyMembrane>
  [[nodiscard]] static typename Lanes::Scalar* record_of(const AnyMembrane& membrane, const Step<Lanes>& step, int l) {
    return step.record ? step.record + l * membrane.template record_size<Lanes>() : nullptr;
  }
};

}  // namespace elegans::detail
