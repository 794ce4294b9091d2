// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <elegans/inspect/check_gradients.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/ncp.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

/// The same wiring twice: in a model of two inputs, and in one of five.
template <typename Model>
void check_both(const AutoNCP<>& wiring) {
  Model two(wiring, 2);
  Model five(wiring, 5);
  CHECK_FALSE(wiring.is_built());
  CHECK(wiring.synapse_count() == 0);
  CHECK(two.input_dim() == 2);
  CHECK(five.input_dim() == 5);
  CHECK(two(Sequence<double>(3, 2, 2)).features() == 2);
  CHECK(five(Sequence<double>(3, 2, 5)).features() == 2);
  if constexpr (requires { two.wiring(); }) {
    AutoNCP built(9, 2);
    built.build(5);
    CHECK(five.wiring().sensory_adjacency_matrix() == built.sensory_adjacency_matrix());
    CHECK(five.wiring().adjacency_matrix() == built.adjacency_matrix());
  }
}

}  // namespace

TEST_CASE("Models with different numbers of inputs can share one wiring, which does not change", "[layer][wiring]") {
  const AutoNCP wiring(9, 2);
  check_both<LTC<double>>(wiring);
  check_both<CfC<double>>(wiring);
  check_both<MixedLTC<double>>(wiring);
  check_both<MixedCfC<double>>(wiring);
}

TEST_CASE("A change of a wiring does not change a model that was made from it", "[layer][wiring]") {
  Wiring<> wiring(3, 1);
  wiring.build(1);
  wiring.add_sensory_synapse(0, 1, 1);
  wiring.add_synapse(1, 0, 1);
  LTC<double> model(wiring, 1);
  Sequence<double> x(4, 1, 1);
  x.values().setLinSpaced(0.2, 1);
  const Sequence<double> y = model(x);
  wiring.remove_synapse(1, 0);
  wiring.add_synapse(2, 0, -1);
  CHECK(model.wiring().adjacency_matrix()(1, 0) == 1);
  CHECK(model.wiring().synapse_count() == 1);
  model.update([](auto) {});
  CHECK((model(x).values() == y.values()).all());
}

TEST_CASE("Models run and learn over several inter layers", "[layer][wiring][ltc][cfc]") {
  const NCP wiring({.inter_neurons = {4, 3, 2},
                    .command_neurons = 3,
                    .motor_neurons = 2,
                    .sensory_fanout = 2,
                    .inter_fanout = {2, 1, 1},
                    .recurrent_command_synapses = 2,
                    .motor_fanin = 2});
  CfC<double> cfc(wiring, 2);
  // One block per layer. The layer before feeds it.
  CHECK(cfc.parameter("layer_0.ff1.weight").cols() == 2 + 4);
  CHECK(cfc.parameter("layer_1.ff1.weight").cols() == 4 + 3);
  CHECK(cfc.parameter("layer_2.ff1.weight").cols() == 3 + 2);
  CHECK(cfc.parameter("layer_3.ff1.weight").cols() == 2 + 3);
  CHECK(cfc.parameter("layer_4.ff1.weight").rows() == 2);
  CHECK(cfc.output_dim() == 2);
  for (const auto& check : {check_gradients(cfc), check_gradients(LTC<double>(wiring, 2))}) {
    INFO(check.where << " is off by " << check.largest_error);
    CHECK(check.ok());
  }
}
