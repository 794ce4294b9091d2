// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"
#include "support/sha256.hpp"

namespace {

std::string text_of(const auto& polarity) {
  std::string text;
  for (Eigen::Index s = 0; s < polarity.rows(); ++s) {
    for (Eigen::Index d = 0; d < polarity.cols(); ++d) {
      if (polarity(s, d) == 0) continue;
      if (!text.empty()) text += ';';
      text += std::to_string(s) + ',' + std::to_string(d) + ',' + std::to_string(polarity(s, d));
    }
  }
  return text;
}

void compare(const auto& given, const nlohmann::json& record) {
  auto wiring = given;
  wiring.build(record.at("input_dim").get<int>());
  CHECK(wiring.units() == record.at("units").get<int>());
  CHECK(wiring.output_dim() == record.at("output_dim").get<int>());
  CHECK(wiring.synapse_count() == record.at("synapse_count").get<int>());
  CHECK(wiring.sensory_synapse_count() == record.at("sensory_synapse_count").get<int>());
  for (int i = 0; i < wiring.units(); ++i) {
    CHECK(elegans::name_of(wiring.neuron_type(i)) == record.at("neuron_types").at(static_cast<std::size_t>(i)));
  }
  REQUIRE(static_cast<std::size_t>(wiring.num_layers()) == record.at("layers").size());
  for (int layer = 0; layer < wiring.num_layers(); ++layer) {
    CHECK(wiring.neurons_of_layer(layer) ==
          record.at("layers").at(static_cast<std::size_t>(layer)).get<std::vector<int>>());
  }
  const std::string text = text_of(wiring.adjacency_matrix()) + '|' + text_of(wiring.sensory_adjacency_matrix());
  CHECK(support::sha256(text) == record.at("sha256").get<std::string>());
}

}  // namespace

TEST_CASE("Every golden wiring is ncps', synapse for synapse", "[wiring][golden]") {
  std::ifstream file(std::string(ELEGANS_TEST_DATA) + "/wirings.json");
  const auto records = nlohmann::json::parse(file);
  REQUIRE(records.size() > 20);
  for (const auto& record : records) {
    const auto& spec = record.at("wiring");
    INFO(spec.dump());
    const std::string kind = spec.at("kind");
    const int units = record.at("units").get<int>();
    const int outputs = record.at("output_dim").get<int>();
    if (kind == "FullyConnected") {
      compare(elegans::FullyConnected(units, outputs,
                                      {.seed = spec.value("erev_init_seed", std::uint64_t{1111}),
                                       .self_connections = spec.value("self_connections", true)}),
              record);
    } else if (kind == "Random") {
      compare(elegans::Random(units, outputs,
                              {.sparsity = spec.value("sparsity_level", 0.0),
                               .seed = spec.value("random_seed", std::uint64_t{1111})}),
              record);
    } else if (kind == "AutoNCP") {
      compare(elegans::AutoNCP(units, outputs,
                               {.sparsity = spec.value("sparsity_level", 0.5),
                                .seed = spec.value("seed", std::int64_t{22222})}),
              record);
    } else {
      REQUIRE(kind == "NCP");
      compare(elegans::NCP({.inter_neurons = spec.at("inter_neurons"),
                            .command_neurons = spec.at("command_neurons"),
                            .motor_neurons = spec.at("motor_neurons"),
                            .sensory_fanout = spec.at("sensory_fanout"),
                            .inter_fanout = spec.at("inter_fanout"),
                            .recurrent_command_synapses = spec.at("recurrent_command_synapses"),
                            .motor_fanin = spec.at("motor_fanin"),
                            .seed = spec.value("seed", std::int64_t{22222})}),
              record);
    }
  }
}
