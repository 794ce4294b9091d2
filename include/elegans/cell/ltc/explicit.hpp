// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/cell/ltc/cell.hpp>

namespace elegans {

// Explicit solvers of LTCCell's differential equation,
//
//     f(v) = (N - v D) / cm,    N, D the sums over leak, sensory and synaptic drive,
//
// forward and backward: Euler's, and the classical one of Runge and Kutta. As in the LTC paper's code, save that a
// sub-step there is always 0.1 long.

template <typename Scalar, int Units, int Outputs, int Inputs>
template <typename Lanes, typename AnyScratch, typename StateAt>
void LTCCell<Scalar, Units, Outputs, Inputs>::explicit_step(const Scalar* v, const typename Lanes::Packet& length,
                                                            StateAt at, AnyScratch& scratch) const {
  using P = typename Lanes::Packet;
  using namespace Eigen::internal;
  const detail::Tableau method = detail::tableau(options_.solver);
  const Index neurons = detail::extent<Lanes>(units());
  Scalar* const start = scratch.start.data();
  Scalar* const slope = scratch.slope.data();
  for (int l = 0; l < options_.ode_unfolds; ++l) {
    // Kept, as what `at` gives for a later stage may be where v is.
    std::copy_n(v, neurons, start);
    std::fill_n(slope, neurons, Scalar(0));
    // A choice between packets is the compiler's to make: see CfCHeads::with_gate.
    const auto stage = [&]<bool last>(int s) {
      const P weight = detail::broadcast<P>(static_cast<Scalar>(method.weight[s]));
      const P reach = detail::broadcast<P>(static_cast<Scalar>(last ? 1.0 : method.reach[s + 1]));
      Scalar* const after = at(l * method.stages + s);
      synapse_drive<Lanes>().template forward<Lanes>(
          v, scratch.synapse, sensed<Lanes>(scratch), [=, this](Index block, const P& num, const P& den) {
            const Index i = block * Lanes::lanes;
            const P cm = Lanes::per_neuron(cm_.data(), block);
            P f = pdiv(psub(num, pmul(detail::load<P>(v + i), den)), cm);
            const P sum = pmadd(weight, f, detail::load<P>(slope + i));
            detail::store<P>(slope + i, sum);
            if constexpr (last) f = sum;
            const P from = detail::load<P>(start + i);
            const P next = pmadd(pmul(length, reach), f, from);
            detail::store<P>(after + i, detail::select_zero<P>(length, from, next));
          });
      v = after;
    };
    for (int s = 0; s + 1 < method.stages; ++s) stage.template operator()<false>(s);
    stage.template operator()<true>(method.stages - 1);
  }
}

// With d the adjoint of a sub-step's end, the s-th slope k has the adjoint h q, where q = weight[s] d + reach[s + 1]
// times the adjoint of the next stage's v. Then dh += q k, and with r = h q / cm
//
//     dN = r,   dD = -r v,   dcm = -r k,   dv = -r D + (through the gates).

template <typename Scalar, int Units, int Outputs, int Inputs>
template <typename Lanes, typename AnyScratch, typename StateAt>
typename Lanes::Packet LTCCell<Scalar, Units, Outputs, Inputs>::explicit_backward(const Scalar* v,
                                                                                  const typename Lanes::Packet& length,
                                                                                  StateAt at, Scalar* d_v,
                                                                                  AnyScratch& scratch,
                                                                                  Adjoint& adjoint) const {
  using P = typename Lanes::Packet;
  using namespace Eigen::internal;
  const detail::Tableau method = detail::tableau(options_.solver);
  const Index neurons = detail::extent<Lanes>(units());
  Scalar* const d_start = adjoint.d_start.data();
  Scalar* const d_stage = adjoint.d_stage.data();
  Scalar* const d_before = adjoint.d_before.data();
  Scalar* const d_numerator = adjoint.d_numerator.data();
  Scalar* const d_denominator = adjoint.d_denominator.data();
  P d_length = detail::broadcast<P>(Scalar(0));
  for (int l = options_.ode_unfolds - 1; l >= 0; --l) {
    std::copy_n(d_v, neurons, d_start);
    std::fill_n(d_stage, neurons, Scalar(0));
    for (int s = method.stages - 1; s >= 0; --s) {
      const int k = l * method.stages + s;
      const Scalar* const before = k > 0 ? at(k - 1) : v;
      const P weight = detail::broadcast<P>(static_cast<Scalar>(method.weight[s]));
      const P reach = detail::broadcast<P>(static_cast<Scalar>(s + 1 == method.stages ? 0.0 : method.reach[s + 1]));
      std::fill_n(d_before, neurons, Scalar(0));
      synapse_drive<Lanes>().template backward<Lanes>(
          before, scratch.synapse, sensed<Lanes>(scratch),
          [&](Index block, const P& num, const P& den) {
            const Index i = block * Lanes::lanes;
            const P cm = Lanes::per_neuron(cm_.data(), block);
            const P at_v = detail::load<P>(before + i);
            const P q = pmadd(weight, detail::load<P>(d_v + i), pmul(reach, detail::load<P>(d_stage + i)));
            const P f = pdiv(psub(num, pmul(at_v, den)), cm);
            const P r = pdiv(pmul(length, q), cm);
            const P b = pnegate(pmul(r, at_v));
            d_length = pmadd(q, f, d_length);
            detail::add_to<P>(adjoint.cm.data() + i, pnegate(pmul(r, f)));
            detail::add_to<P>(d_numerator + i, r);
            detail::add_to<P>(d_denominator + i, b);
            detail::add_to<P>(d_before + i, pnegate(pmul(r, den)));
            return std::pair{r, b};
          },
          d_before, synapse_adjoint<Lanes>(adjoint));
      VectorView<Scalar>(d_start, neurons) += ConstVectorView<Scalar>(d_before, neurons);
      std::copy_n(d_before, neurons, d_stage);
    }
    std::copy_n(d_start, neurons, d_v);
  }
  return d_length;
}

}  // namespace elegans
