// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/softplus.hpp>
#include <elegans/core/types.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans::detail {

// Between a flat parameter vector, which has a value for each pair of neurons, and the kernels, which have one for
// each synapse that exists.

/// Where the four tensors of a set of synapses begin, in a parameter vector or a gradient; each (sources,
/// destinations), column-major.
template <typename Pointer>
struct SynapseTensors {
  Pointer sigma;  ///< steepness of the gate
  Pointer mu;     ///< midpoint of the gate
  Pointer w;      ///< strength, as stored
  Pointer erev;   ///< reversal potential
};

/// What a kernel needs of one synapse: gate sigmoid(sigma (v - mu)), w times it into the denominator of the fused step,
/// w erev times it into the numerator.
template <typename Scalar>
struct SynapseWeight {
  Scalar steepness;  ///< sigma, scaled for `sigmoid_of_scaled`
  Scalar sigma, mu, w, w_erev;
};

template <typename Scalar>
SynapseWeight<Scalar> read_synapse(const SynapseTensors<const Scalar*>& tensors, Index at, bool implicit) {
  const Scalar w = implicit ? softplus(tensors.w[at]) : tensors.w[at];
  const Scalar sigma = tensors.sigma[at];
  return {sigmoid_scale<Scalar> * sigma, sigma, tensors.mu[at], w, w * tensors.erev[at]};
}

/// What the adjoint sums up for a synapse over samples, steps and unfolds. With g its gate, a and b the adjoints of the
/// numerator and denominator it feeds, and z = sigma (v - mu):
template <typename Scalar>
struct SynapseSums {
  Scalar gate_a;   ///< sum g a
  Scalar gate_b;   ///< sum g b
  Scalar slope;    ///< sum dz
  Scalar slope_v;  ///< sum dz v
};

/// Adds one synapse's gradient: d w = erev sum(g a) + sum(g b), d erev = w sum(g a), d mu = -sigma sum(dz),
/// d sigma = sum(dz v) - mu sum(dz).
template <typename Scalar>
void add_synapse_gradient(const SynapseTensors<const Scalar*>& tensors, const SynapseTensors<Scalar*>& gradient,
                          Index at, bool implicit, const SynapseSums<Scalar>& sums) {
  const Scalar stored = tensors.w[at];
  const Scalar d_w = tensors.erev[at] * sums.gate_a + sums.gate_b;
  gradient.w[at] += implicit ? d_w * softplus_derivative(stored) : d_w;
  gradient.erev[at] += (implicit ? softplus(stored) : stored) * sums.gate_a;
  gradient.mu[at] -= tensors.sigma[at] * sums.slope;
  gradient.sigma[at] += sums.slope_v - tensors.mu[at] * sums.slope;
}

}  // namespace elegans::detail
