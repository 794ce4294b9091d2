// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>

#include <elegans/cell/ltc/cell.hpp>

namespace elegans {

// The backward half of LTCCell. A sub-step is v' = n / d with
//
//     n = cm v + h N,    d = cm + h D,    N, D the sums over leak, sensory and synaptic drive.
//
// With r = dLoss/dv', the adjoints of n and d are gn = r / d and gd = -gn v'; then
//
//     dN = h gn,   dD = h gd,   dh += gn N + gd D,   dcm += gn v + gd,   dv = cm gn + (through the gates).

template <typename Scalar, int Units, int Outputs, int Inputs>
template <typename Lanes>
void LTCCell<Scalar, Units, Outputs, Inputs>::reset(Adjoint& adjoint) const {
  const auto clear = [](Buffer<Scalar>& values, Index size) {
    values.resize(size);
    std::fill_n(values.data(), size, Scalar(0));
  };
  const Index neurons = detail::extent<Lanes>(units());
  for (auto* values : {&adjoint.d_before, &adjoint.d_numerator, &adjoint.d_denominator, &adjoint.d_start,
                       &adjoint.d_stage, &adjoint.cm, &adjoint.leak_numerator, &adjoint.leak_denominator}) {
    clear(*values, neurons);
  }
  for (auto* values : {&adjoint.d_u, &adjoint.input_w, &adjoint.input_b}) {
    clear(*values, detail::extent<Lanes>(input_dim()));
  }
  for (auto* values : {&adjoint.output_w, &adjoint.output_b}) clear(*values, detail::extent<Lanes>(output_dim()));
  synapse_drive<Lanes>().template reset<Lanes>(synapse_adjoint<Lanes>(adjoint));
  sensory_drive<Lanes>().template reset<Lanes>(sensory_adjoint<Lanes>(adjoint));
}

template <typename Scalar, int Units, int Outputs, int Inputs>
template <typename Lanes>
void LTCCell<Scalar, Units, Outputs, Inputs>::output_backward(const Scalar* v, const Scalar* d_y, Scalar* d_v,
                                                              Adjoint& adjoint) const {
  using P = typename Lanes::Packet;
  for (Index o = 0; o < Lanes::blocks(output_dim()); ++o) {
    const Index at = o * Lanes::lanes;
    const P d = detail::load<P>(d_y + at);
    detail::add_product_to<P>(d_v + at, Lanes::per_neuron(output_w_.data(), o), d);
    detail::add_product_to<P>(adjoint.output_w.data() + at, d, detail::load<P>(v + at));
    detail::add_to<P>(adjoint.output_b.data() + at, d);
  }
}

template <typename Scalar, int Units, int Outputs, int Inputs>
template <typename Lanes, typename AnyScratch, typename StateAt>
typename Lanes::Packet LTCCell<Scalar, Units, Outputs, Inputs>::fused_backward(const Scalar* v,
                                                                               const typename Lanes::Packet& length,
                                                                               StateAt at, Scalar* d_v,
                                                                               AnyScratch& scratch,
                                                                               Adjoint& adjoint) const {
  using P = typename Lanes::Packet;
  using namespace Eigen::internal;
  constexpr Index lanes = Lanes::lanes;
  const Index neurons = detail::extent<Lanes>(units());
  const P one = detail::broadcast<P>(Scalar(1));
  const P zero = detail::broadcast<P>(Scalar(0));
  Scalar* const d_numerator = adjoint.d_numerator.data();
  Scalar* const d_denominator = adjoint.d_denominator.data();
  P d_length = zero;
  // The adjoints of the states after and before a sub-step, which change places from one to the next.
  Scalar* d_v_after = d_v;
  Scalar* d_v_before = adjoint.d_before.data();
  for (int l = options_.ode_unfolds - 1; l >= 0; --l) {
    const Scalar* const before = l > 0 ? at(l - 1) : v;
    const Scalar* const after = at(l);
    // A single sample's neurons have all responded before anything comes back from their synapses.
    for (Index i = 0; !Lanes::single && i < neurons; i += lanes) detail::store<P>(d_v_before + i, zero);
    place_kept<Lanes>(l, scratch);
    synapse_drive<Lanes>().template backward<Lanes>(
        before, scratch.synapse, sensed<Lanes>(scratch),
        [&, d_end = d_v_after, d_start = d_v_before](Index block, const P& num, const P& den) {
          const Index i = block * lanes;
          const P cm = Lanes::per_neuron(cm_.data(), block);
          // 0 only if nothing moves this neuron at all: no capacitance, and no time or no conductance.
          const P divisor = pmadd(length, den, cm);
          const P d_after = detail::load<P>(d_end + i);
          const P gn = pdiv(d_after, detail::select_zero<P>(divisor, one, divisor));
          const P gd = pnegate(pmul(gn, detail::load<P>(after + i)));
          const P a = pmul(length, gn);
          const P b = pmul(length, gd);
          d_length = padd(d_length, pmadd(gn, num, pmul(gd, den)));
          detail::add_to<P>(adjoint.cm.data() + i, pmadd(gn, detail::load<P>(before + i), gd));
          detail::add_to<P>(d_numerator + i, a);
          detail::add_to<P>(d_denominator + i, b);
          // No time: the state passes through, and so does its adjoint, even without capacitance.
          const P passed = detail::select_zero<P>(length, d_after, pmul(cm, gn));
          if constexpr (Lanes::single) {
            detail::store<P>(d_start + i, passed);
          } else {
            detail::add_to<P>(d_start + i, passed);
          }
          return std::pair{a, b};
        },
        d_v_before, synapse_adjoint<Lanes>(adjoint));
    std::swap(d_v_before, d_v_after);
  }
  if (d_v_after != d_v) std::copy_n(d_v_after, neurons, d_v);
  return d_length;
}

template <typename Scalar, int Units, int Outputs, int Inputs>
template <typename Lanes, typename AnyScratch, typename StateAt>
void LTCCell<Scalar, Units, Outputs, Inputs>::step_backward(const Scalar* x, const Scalar* v, const Scalar* elapsed,
                                                            StateAt at, Scalar* d_v, Scalar* d_x, Scalar* d_elapsed,
                                                            AnyScratch& scratch, Adjoint& adjoint) const {
  using P = typename Lanes::Packet;
  using namespace Eigen::internal;
  constexpr Index lanes = Lanes::lanes;
  Scalar* const d_numerator = adjoint.d_numerator.data();
  Scalar* const d_denominator = adjoint.d_denominator.data();
  std::fill_n(d_numerator, detail::extent<Lanes>(units()), Scalar(0));
  std::fill_n(d_denominator, detail::extent<Lanes>(units()), Scalar(0));
  // Where the passes were kept, what they began with is no longer needed.
  if (Lanes::single && scratch.kept) {
    map_inputs<Lanes>(x, scratch.u.data());
  } else {
    sense<Lanes>(x, scratch);
  }
  const P length = sub_step<Lanes>(elapsed);
  const P d_length = options_.solver == ODESolver::semi_implicit
                         ? fused_backward<Lanes>(v, length, at, d_v, scratch, adjoint)
                         : explicit_backward<Lanes>(v, length, at, d_v, scratch, adjoint);

  std::fill_n(adjoint.d_u.data(), adjoint.d_u.size(), Scalar(0));
  sensory_drive<Lanes>().template backward<Lanes>(
      scratch.u.data(), scratch.sensory, leak<Lanes>(),
      [&](Index block, const P&, const P&) {
        const Index i = block * lanes;
        const P a = detail::load<P>(d_numerator + i);
        const P b = detail::load<P>(d_denominator + i);
        detail::add_to<P>(adjoint.leak_numerator.data() + i, a);
        detail::add_to<P>(adjoint.leak_denominator.data() + i, b);
        return std::pair{a, b};
      },
      adjoint.d_u.data(), sensory_adjoint<Lanes>(adjoint));

  for (Index k = 0; k < Lanes::blocks(input_dim()); ++k) {
    const P d_u = detail::load<P>(adjoint.d_u.data() + k * lanes);
    detail::store<P>(d_x + k * lanes, pmul(d_u, Lanes::per_neuron(input_w_.data(), k)));
    detail::add_product_to<P>(adjoint.input_w.data() + k * lanes, d_u, detail::load<P>(x + k * lanes));
    detail::add_to<P>(adjoint.input_b.data() + k * lanes, d_u);
  }
  std::fill_n(d_elapsed, Lanes::samples, Scalar(0));
  Lanes::add_to_samples(d_elapsed, pdiv(d_length, detail::broadcast<P>(static_cast<Scalar>(options_.ode_unfolds))));
}

template <typename Scalar, int Units, int Outputs, int Inputs>
template <typename Lanes>
void LTCCell<Scalar, Units, Outputs, Inputs>::collect(const Adjoint& adjoint, const Scalar* parameters,
                                                      Scalar* gradient) const {
  const detail::LTCTensors<const Scalar*> tensors(parameters_, parameters);
  const detail::LTCTensors<Scalar*> sums(parameters_, gradient);
  const bool implicit = options_.implicit_param_constraints;
  synapse_drive<Lanes>().template collect<Lanes>(synapse_adjoint<Lanes>(adjoint), tensors.synapse, sums.synapse,
                                                 implicit);
  sensory_drive<Lanes>().template collect<Lanes>(sensory_adjoint<Lanes>(adjoint), tensors.sensory, sums.sensory,
                                                 implicit);
  for (Index i = 0; i < units(); ++i) {
    const Scalar gleak = implicit ? detail::softplus(tensors.gleak[i]) : tensors.gleak[i];
    const Scalar d_numerator = Lanes::sum_samples(adjoint.leak_numerator.data(), i);
    const Scalar d_gleak = d_numerator * tensors.vleak[i] + Lanes::sum_samples(adjoint.leak_denominator.data(), i);
    const Scalar d_cm = Lanes::sum_samples(adjoint.cm.data(), i);
    sums.vleak[i] += d_numerator * gleak;
    sums.gleak[i] += implicit ? d_gleak * detail::softplus_derivative(tensors.gleak[i]) : d_gleak;
    sums.cm[i] += implicit ? d_cm * detail::softplus_derivative(tensors.cm[i]) : d_cm;
  }
  const auto add = [](Scalar* to, const Buffer<Scalar>& values, Index count) {
    for (Index i = 0; to && i < count; ++i) to[i] += Lanes::sum_samples(values.data(), i);
  };
  add(sums.input_w, adjoint.input_w, input_dim());
  add(sums.input_b, adjoint.input_b, input_dim());
  add(sums.output_w, adjoint.output_w, output_dim());
  add(sums.output_b, adjoint.output_b, output_dim());
}

}  // namespace elegans
