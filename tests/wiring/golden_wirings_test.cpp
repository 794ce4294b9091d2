// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <elegans/io/sha256.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/ncp.hpp>
#include <elegans/wiring/random.hpp>

#include "support/catch.hpp"

namespace {

using nlohmann::json;

json read(const std::string& name) {
  std::ifstream file(std::string(ELEGANS_TEST_DATA) + "/" + name);
  REQUIRE(file);
  return json::parse(file);
}

template <typename Matrix>
json synapses_of(const Matrix& polarity) {
  json synapses = json::array();
  for (int source = 0; source < polarity.rows(); ++source) {
    for (int destination = 0; destination < polarity.cols(); ++destination) {
      if (polarity(source, destination) != 0) {
        synapses.push_back({source, destination, polarity(source, destination)});
      }
    }
  }
  return synapses;
}

/// The text from which the golden hashes were computed: "source,destination,polarity;…".
std::string text_of(const json& synapses) {
  std::string text;
  for (const json& synapse : synapses) {
    if (!text.empty()) text += ';';
    text += std::to_string(synapse[0].get<int>()) + ',' + std::to_string(synapse[1].get<int>()) + ',' +
            std::to_string(synapse[2].get<int>());
  }
  return text;
}

template <typename Wiring>
void check(Wiring wiring, const json& record) {
  wiring.build(record["wiring"]["input_dim"]);
  CHECK(wiring.units() == record["units"]);
  CHECK(wiring.input_dim() == record["input_dim"]);
  CHECK(wiring.output_dim() == record["output_dim"]);
  CHECK(wiring.synapse_count() == record["synapse_count"]);
  CHECK(wiring.sensory_synapse_count() == record["sensory_synapse_count"]);
  std::vector<std::string> types;
  for (int i = 0; i < wiring.units(); ++i) types.push_back(name_of(wiring.neuron_type(i)));
  CHECK(json(types) == record["neuron_types"]);
  std::vector<std::vector<int>> layers;
  for (int i = 0; i < wiring.num_layers(); ++i) layers.push_back(wiring.neurons_of_layer(i));
  CHECK(json(layers) == record["layers"]);
  const json inner = synapses_of(wiring.adjacency_matrix());
  const json outer = synapses_of(wiring.sensory_adjacency_matrix());
  CHECK(elegans::detail::sha256(text_of(inner) + '|' + text_of(outer)) == record["sha256"]);
  if (record.contains("adjacency")) {
    CHECK(inner == record["adjacency"]);
    CHECK(outer == record["sensory_adjacency"]);
  }
}

void check(const json& record) {
  const json& spec = record["wiring"];
  const std::string kind = spec["kind"];
  if (kind == "FullyConnected") {
    check(elegans::FullyConnected(spec["units"], spec.value("output_dim", spec["units"].get<int>()),
                                  {.seed = spec.value("erev_init_seed", std::uint64_t{1111}),
                                   .self_connections = spec.value("self_connections", true)}),
          record);
  } else if (kind == "Random") {
    check(elegans::Random(
              spec["units"], spec.value("output_dim", spec["units"].get<int>()),
              {.sparsity = spec.value("sparsity_level", 0.0), .seed = spec.value("random_seed", std::uint64_t{1111})}),
          record);
  } else if (kind == "NCP") {
    check(elegans::NCP({.inter_neurons = spec["inter_neurons"],
                        .command_neurons = spec["command_neurons"],
                        .motor_neurons = spec["motor_neurons"],
                        .sensory_fanout = spec["sensory_fanout"],
                        .inter_fanout = spec["inter_fanout"],
                        .recurrent_command_synapses = spec["recurrent_command_synapses"],
                        .motor_fanin = spec["motor_fanin"],
                        .seed = spec.value("seed", std::uint64_t{22222})}),
          record);
  } else {
    REQUIRE(kind == "AutoNCP");
    check(elegans::AutoNCP(
              spec["units"], spec["output_size"],
              {.sparsity = spec.value("sparsity_level", 0.5), .seed = spec.value("seed", std::uint64_t{22222})}),
          record);
  }
}

}  // namespace

TEST_CASE("sha256 gives the digests of the standard", "[support]") {
  CHECK(elegans::detail::sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(elegans::detail::sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(elegans::detail::sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_CASE("Every golden wiring equals that of ncps to the last synapse", "[wiring][golden]") {
  for (const std::string name : {"wirings.json", "wirings_extra.json"}) {
    const json records = read(name);
    CHECK(records.size() >= 31);
    for (const json& record : records) {
      INFO(name << ": " << record["wiring"].dump());
      check(record);
    }
  }
}
