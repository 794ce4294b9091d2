// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <limits>

#include <elegans/cell/ltc/options.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/softplus.hpp>
#include <elegans/core/types.hpp>
#include <elegans/inspect/hidden_states.hpp>
#include <elegans/wiring/concepts.hpp>

namespace elegans {

/// A model of liquid time-constant neurons: `LTC` and `MixedLTC`.
template <typename M>
concept LiquidModel = requires(const M& model) {
  { model.wiring() } -> AnyWiring;
  { model.options().implicit_param_constraints } -> std::convertible_to<bool>;
  model.parameter("cm");
  model.parameter("gleak");
};

/// The liquid time constant of every neuron after each step, (time, batch, units). The network is named after it. If
/// the gates of a neuron's synapses stayed as they are now, its potential would approach its target with this time
/// constant:
///
///     tau_sys[i] = cm[i] / (gleak[i] + sum_k sensory_w[k, i] g(u_k) + sum_j w[j, i] g(v_j))
///
/// Here g are the gates of `SynapseEquation`, u the mapped inputs of the step, and v the potentials at its end, as in
/// `hidden_states`. The solver and epsilon play no part. The unit is that of the elapsed times. The value lies between
/// cm / (gleak + all w of its synapses) and cm / gleak. It is infinite for a neuron that neither leaks nor has an open
/// gate, and NaN for a masked step.
///
/// \param x        (time, batch, input_dim), or a (time, input_dim) matrix for one sequence
/// \param context  elapsed times, initial state and mask, as for a forward pass
/// \throws InvalidArgument if a shape differs
/// \see    Hasani et al., Liquid Time-constant Networks, AAAI 2021, Theorem 1
template <LiquidModel Model>
[[nodiscard]] auto time_constants(const Model& model, const Sequence<typename Model::Scalar>& x,
                                  const ContextOf<Model>& context = {}) -> Sequence<typename Model::Scalar> {
  using Scalar = typename Model::Scalar;
  const Sequence<Scalar> states = hidden_states(model, x, context);
  const LTCOptions& options = model.options();
  const auto positive = [&](const auto& values) -> Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic> {
    if (!options.implicit_param_constraints) return values;
    return values.unaryExpr([](Scalar value) { return detail::softplus(value); });
  };
  const auto cm = positive(model.parameter("cm"));
  const auto gleak = positive(model.parameter("gleak"));
  const Index units = model.units();
  Sequence<Scalar> tau(x.time(), x.batch(), units);
  // First sum up the conductances in tau.
  for (Index i = 0; i < units; ++i) {
    for (Index t = 0; t < x.time(); ++t) tau.step(t).col(i).setConstant(gleak(i, 0));
  }
  // \param values  (step, source) -> the values of that source, one per sample
  const auto add_synapses = [&](const auto& polarity, const auto& w, const auto& sigma, const auto& mu, auto values) {
    for (int s = 0; s < polarity.rows(); ++s) {
      for (int d = 0; d < polarity.cols(); ++d) {
        if (polarity(s, d) == 0) continue;
        for (Index t = 0; t < x.time(); ++t) {
          tau.step(t).col(d) += w(s, d) * (sigma(s, d) * (values(t, s) - mu(s, d))).logistic();
        }
      }
    }
  };
  const bool scaled = options.input_mapping != Mapping::none;
  const bool shifted = options.input_mapping == Mapping::affine;
  add_synapses(model.wiring().sensory_adjacency_matrix(), positive(model.parameter("sensory_w")),
               model.parameter("sensory_sigma"), model.parameter("sensory_mu"), [&](Index t, Index k) {
                 const Scalar scale = scaled ? model.parameter("input_w")(k, 0) : Scalar(1);
                 const Scalar shift = shifted ? model.parameter("input_b")(k, 0) : Scalar(0);
                 return (scale * x.step(t).col(k) + shift).eval();
               });
  add_synapses(model.wiring().adjacency_matrix(), positive(model.parameter("w")), model.parameter("sigma"),
               model.parameter("mu"), [&](Index t, Index j) { return states.step(t).col(j); });
  for (Index t = 0; t < x.time(); ++t) {
    for (Index b = 0; b < x.batch(); ++b) {
      for (Index i = 0; i < units; ++i) {
        // Not a conditional expression: with -ffast-math, a compiler may assume that its value is not NaN.
        if (context.mask(t, b)) {
          tau(t, b, i) = cm(i, 0) / tau(t, b, i);
        } else {
          tau(t, b, i) = std::numeric_limits<Scalar>::quiet_NaN();
        }
      }
    }
  }
  return tau;
}

}  // namespace elegans
