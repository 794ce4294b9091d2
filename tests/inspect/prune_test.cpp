// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <limits>
#include <string>
#include <utility>

#include <elegans/inspect/check_gradients.hpp>
#include <elegans/inspect/prune.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>

#include "support/catch.hpp"
#include "support/ramp.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using support::ramp;

namespace {

/// The model with w at 0 wherever the pruned one has no synapse: minus infinity where softplus is to make 0 of it.
template <typename Model>
Model silenced(Model model, const Model& pruned) {
  const double nothing = model.options().implicit_param_constraints ? -800.0 : 0.0;
  for (const std::string prefix : {"", "sensory_"}) {
    Eigen::ArrayXXd w = model.parameter(prefix + "w");
    for (int s = 0; s < w.rows(); ++s) {
      for (int d = 0; d < w.cols(); ++d) {
        const int exists = prefix.empty() ? pruned.wiring().adjacency_matrix()(s, d)
                                          : pruned.wiring().sensory_adjacency_matrix()(s, d);
        if (exists == 0) w(s, d) = nothing;
      }
    }
    model.set_parameter(prefix + "w", w);
  }
  return model;
}

/// \param removed  how many synapses must be gone
template <typename Model>
void check_equal(const Model& model, const PruneOptions& options, int removed) {
  Model pruned = prune(model, options);
  const auto synapses = [](const Model& of) {
    return std::pair(of.wiring().synapse_count(), of.wiring().sensory_synapse_count());
  };
  const auto [inner, sensory] = synapses(pruned);
  const auto [inner_before, sensory_before] = synapses(model);
  CHECK(inner + sensory == inner_before + sensory_before - removed);
  CHECK(inner < inner_before);
  CHECK((sensory < sensory_before) == options.sensory);
  CHECK((pruned.parameters() == model.parameters()).all());
  Model expected = silenced(model, pruned);
  for (const Index batch : {1, 3}) {
    const Sequence<double> x = ramp(6, batch, 3);
    CHECK((pruned(x).values() - expected(x).values()).abs().maxCoeff() < 1e-12);
    CHECK((pruned(x).values() - Model(model)(x).values()).abs().maxCoeff() > 1e-6);
  }
  const GradientCheck check = check_gradients(pruned);
  INFO(check.where << " is off by " << check.largest_error);
  CHECK(check.ok());
}

/// A wiring to reason about: input 0 feeds neuron 2, which feeds motor neuron 0; neuron 3 feeds motor neuron 0 and 1,
/// and is fed by neuron 2.
LTC<double> by_hand(double w20, double w30, double w23, double w31) {
  Wiring<> wiring(4, 2);
  wiring.build(1);
  wiring.add_sensory_synapse(0, 2, 1);
  wiring.add_synapse(2, 0, 1);
  wiring.add_synapse(3, 0, -1);
  wiring.add_synapse(2, 3, 1);
  wiring.add_synapse(3, 1, 1);
  LTC<double> model(wiring, 1);
  Eigen::ArrayXXd w = model.parameter("w");
  w(2, 0) = w20, w(3, 0) = w30, w(2, 3) = w23, w(3, 1) = w31;
  model.set_parameter("w", w);
  return model;
}

}  // namespace

TEST_CASE("A pruned model is the model with the weights of the removed synapses at 0", "[layer][prune]") {
  for (const bool implicit : {false, true}) {
    const LTCOptions options{.implicit_param_constraints = implicit, .seed = 5};
    const LTC<double> full(FullyConnected(6, 2), 3, options);
    check_equal(full, {.fraction = 0.5}, 18);
    check_equal(full, {.fraction = 0.5, .sensory = true}, 27);
    check_equal(LTC<double>(AutoNCP(12, 2), 3, options), {.count = 3}, 3);
    check_equal(MixedLTC<double>(FullyConnected(5, 1), 3, options), {.count = 20}, 20);
    check_equal(LTC<double, FullyConnected<5, 2>, 3>(FullyConnected<5, 2>{}, options), {.count = 10}, 10);
  }
}

TEST_CASE("prune removes the weakest synapses, and among equal ones the first by source and destination",
          "[layer][prune]") {
  LTC<double> model(FullyConnected(4, 1), 2);
  Eigen::ArrayXXd w = Eigen::ArrayXXd::Constant(4, 4, 0.5);
  w(2, 3) = 0.1;
  w(3, 3) = 0.2;
  model.set_parameter("w", w);
  const LTC<double> pruned = prune(model, {.count = 4});
  Eigen::ArrayXXi exists = Eigen::ArrayXXi::Ones(4, 4);
  exists(2, 3) = exists(3, 3) = exists(0, 0) = exists(0, 1) = 0;
  CHECK((pruned.wiring().sparsity_mask().array() == exists).all());
}

TEST_CASE("The strength is the conductance, or the current if the options say so", "[layer][prune]") {
  LTC<double> model(FullyConnected(2, 1), 1);
  model.set_parameter("w", Eigen::Array22d{{0.4, 0.3}, {0.2, 0.5}});
  model.set_parameter("erev", Eigen::Array22d{{1.0, -1.0}, {2.0, -0.1}});
  CHECK(prune(model, {.count = 1}).wiring().adjacency_matrix()(1, 0) == 0);
  const auto by_current = prune(model, {.count = 1, .strength = SynapseStrength::current});
  CHECK(by_current.wiring().adjacency_matrix()(1, 1) == 0);
  CHECK(by_current.wiring().synapse_count() == 3);
}

TEST_CASE("With implicit constraints the strength is the softplus, whose order is that of w", "[layer][prune]") {
  LTC<double> model(FullyConnected(2, 1), 1, {.implicit_param_constraints = true});
  model.set_parameter("w", Eigen::Array22d{{-3.0, 0.3}, {0.2, 0.5}});
  CHECK(prune(model, {.count = 1}).wiring().adjacency_matrix()(0, 0) == 0);
}

TEST_CASE("The inputs still reach every motor neuron, unless the option is off", "[layer][prune]") {
  // 2 -> 0 is the weakest, and can be removed, because 2 -> 3 -> 0 remains. Then 2 -> 3, 3 -> 0 and 3 -> 1 must stay.
  const LTC<double> model = by_hand(0.1, 0.2, 0.3, 0.4);
  const LTC<double> one = prune(model, {.count = 1});
  CHECK(one.wiring().adjacency_matrix()(2, 0) == 0);
  CHECK(one.wiring().synapse_count() == 3);
  const LTC<double> kept = prune(model, {.count = 4, .sensory = true});
  CHECK(kept.wiring().synapse_count() == 3);
  CHECK(kept.wiring().sensory_synapse_count() == 1);
  // Now 3 -> 0 is the weakest. It is removed, and 2 -> 0 stays.
  const LTC<double> other = prune(by_hand(0.2, 0.1, 0.3, 0.4), {.fraction = 1.0});
  CHECK(other.wiring().adjacency_matrix()(3, 0) == 0);
  CHECK(other.wiring().adjacency_matrix()(2, 0) == 1);
  CHECK(other.wiring().synapse_count() == 3);
  const LTC<double> cut = prune(model, {.fraction = 1.0, .sensory = true, .keep_motor_inputs = false});
  CHECK(cut.wiring().synapse_count() == 0);
  CHECK(cut.wiring().sensory_synapse_count() == 0);
  CHECK(LTC<double>(cut)(ramp(3, 1, 1)).values().allFinite());
}

TEST_CASE("A pruned model learns, and the parameters of removed synapses do not change", "[layer][prune]") {
  LTC<float> model(FullyConnected(6, 1), 1);
  const Eigen::ArrayXf angle = Eigen::ArrayXf::LinSpaced(20, 0.0f, 6.0f);
  const Sequence<float> x = angle.sin();
  const Sequence<float> y = angle.cos();
  LTC<float> pruned = prune(model, {.fraction = 0.6});
  const auto loss = [&] { return (pruned(x).values() - y.values()).square().mean(); };
  const float before = loss();
  fit(pruned, x, y, Adam<float>({.learning_rate = 0.02f}), {.epochs = 60});
  CHECK(loss() < 0.5f * before);
  const auto mask = pruned.wiring().sparsity_mask();
  CHECK(mask.sum() == 36 - 22);
  for (int s = 0; s < 6; ++s) {
    for (int d = 0; d < 6; ++d) {
      if (mask(s, d) == 0) CHECK(pruned.parameter("w")(s, d) == model.parameter("w")(s, d));
    }
  }
  // Prune a second time.
  CHECK(prune(pruned, {.fraction = 0.5}).wiring().synapse_count() == 7);
}

TEST_CASE("prune refuses options and models that make no sense", "[layer][prune]") {
  const LTC<double> model(FullyConnected(3, 1), 2);
  const auto refusal = [&](const PruneOptions& options) {
    return support::refusal_of([&] { (void)prune(model, options); });
  };
  CHECK(refusal({}) == "prune: either count or fraction must be given, got neither");
  CHECK(refusal({.count = 1, .fraction = 0.5}) == "prune: either count or fraction must be given, got both");
  CHECK(refusal({.count = 10}) == "prune: count must be in [0, 9], the synapses to choose from, got 10");
  CHECK(refusal({.count = -1}) == "prune: count must be in [0, 9], the synapses to choose from, got -1");
  CHECK(refusal({.fraction = 1.5}) == "prune: fraction must be in [0, 1], got 1.5");
  CHECK(refusal({.fraction = std::numeric_limits<double>::quiet_NaN()}) ==
        "prune: fraction must be in [0, 1], got nan");
  CHECK(prune(model, {.count = 0}).wiring().synapse_count() == 9);
  LTC<double> broken = model;
  broken.update([&](auto all) { all = std::numeric_limits<double>::infinity(); });
  CHECK(support::refusal_of([&] { (void)prune(broken, {.count = 1}); }) ==
        "prune: the strength of the synapse from 0 to 0 must be finite, is inf");
}
