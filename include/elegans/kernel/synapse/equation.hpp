// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/simd/sigmoid.hpp>

namespace elegans::detail {

/// The parameters of one synapse, as the kernels read them.
template <typename Scalar>
struct SynapseWeight {
  Scalar steepness;  ///< sigma, times `sigmoid_scale`
  Scalar sigma, mu, w, w_erev;
};

/// The sums of an adjoint over samples, steps and unfolds, for one synapse. The gradients of its four parameters follow
/// from them. See `SynapseEquation` for g, a, b and z.
template <typename Scalar>
struct SynapseSums {
  Scalar gate_a;   ///< sum of g a
  Scalar gate_b;   ///< sum of g b
  Scalar slope;    ///< sum of dz
  Scalar slope_v;  ///< sum of dz v
};

// mutate all: synapse.equation
/// The equation of a synapse from neuron j to neuron i, and its adjoint. The lanes of P are samples of one synapse, or
/// synapses of one sample.
///
///     g = sigmoid(z),   z = sigma (v_j - mu),   N_i += w erev g,   D_i += w g
///
/// N_i and D_i are the numerator and the denominator of the destination. With a and b their adjoints,
///
///     dz = (w erev a + w b) g (1 - g),   dv_j += sigma dz
///     d erev = w sum(g a),   d w = erev sum(g a) + sum(g b)
///     d mu = -sigma sum(dz),   d sigma = sum(dz v) - mu sum(dz)
template <typename P>
struct SynapseEquation {
  P steepness, mu, w, w_erev;

  template <Evaluation evaluation>
  [[nodiscard]] EIGEN_ALWAYS_INLINE P gate(const P& v) const {
    return sigmoid_of_scaled<evaluation>(steepness * (v - mu));
  }
  EIGEN_ALWAYS_INLINE void drive(const P& gate, P& numerator, P& denominator) const {
    numerator = fma(w_erev, gate, numerator);
    denominator = fma(w, gate, denominator);
  }
  [[nodiscard]] EIGEN_ALWAYS_INLINE P d_z(const P& gate, const P& a, const P& b) const {
    const P d_gate = fma(w_erev, a, w * b);
    return d_gate * (gate * (P(typename P::Scalar(1)) - gate));
  }
};

}  // namespace elegans::detail
