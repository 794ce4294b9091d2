// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <string>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"
#include "support/golden_model.hpp"

using namespace elegans;
using namespace elegans_test;

namespace {

constexpr std::array cfc_golden_names{
    "cfc_default",       "cfc_pure",       "cfc_no_gate",     "cfc_silu",          "cfc_relu",
    "cfc_tanh",          "cfc_gelu",       "cfc_no_backbone", "cfc_proj",          "cfc_mixed",
    "cfc_wired_default", "cfc_wired_pure", "cfc_wired_fc",    "cfc_wired_no_gate", "cfc_wired_auto_mixed"};

/// The options that a golden case passed to ncps' PyTorch layer.
CfCOptions cfc_options_of(const nlohmann::json& given) {
  CfCOptions options;
  const std::string mode = given.value("mode", "default");
  options.mode = mode == "pure" ? CfCMode::pure : mode == "no_gate" ? CfCMode::no_gate : CfCMode::standard;
  const std::string activation = given.value("activation", "lecun_tanh");
  for (const auto& [name, value] : {std::pair{"silu", Activation::silu}, std::pair{"relu", Activation::relu},
                                    std::pair{"tanh", Activation::tanh}, std::pair{"gelu", Activation::gelu}}) {
    if (activation == name) options.activation = value;
  }
  options.backbone_units = given.value("backbone_units", 128);
  options.backbone_layers = given.value("backbone_layers", 1);
  options.proj_size = given.value("proj_size", 0);
  return options;
}

/// Calls body with the wiring or the number of neurons of a case.
template <typename Body>
void with_wiring(const nlohmann::json& wiring, Body body) {
  if (wiring.is_number()) return body(wiring.get<int>());
  const std::string kind = wiring.at("kind");
  // The outputs of ncps are all neurons of the last layer. These are more than the motor neurons that the case names.
  if (kind == "FullyConnected") return body(FullyConnected(wiring.at("units")));
  if (kind == "AutoNCP") return body(AutoNCP(wiring.at("units"), wiring.at("output_size")));
  REQUIRE(kind == "NCP");
  body(NCP({.inter_neurons = wiring.at("inter_neurons"),
            .command_neurons = wiring.at("command_neurons"),
            .motor_neurons = wiring.at("motor_neurons"),
            .sensory_fanout = wiring.at("sensory_fanout"),
            .inter_fanout = wiring.at("inter_fanout"),
            .recurrent_command_synapses = wiring.at("recurrent_command_synapses"),
            .motor_fanin = wiring.at("motor_fanin"),
            .seed = wiring.at("seed")}));
}

}  // namespace

TEMPLATE_TEST_CASE("Outputs, states and gradients of a CfC are ncps'", "[layer][cfc][golden]", double, float) {
  for (const char* name : cfc_golden_names) {
    INFO("golden file " << name);
    const GoldenFile file(std::string(name) + ".safetensors");
    const nlohmann::json given = file.metadata.value("options", nlohmann::json::object());
    const int inputs = static_cast<int>(file["x"].shape[2]);
    with_wiring(file.metadata.at("wiring"), [&](const auto& wiring) {
      const auto check = [&](auto model) {
        check_against(file, model);
        check_other_ways(file, model);
      };
      if (given.value("mixed_memory", false)) {
        check(MixedCfC<TestType>(wiring, inputs, cfc_options_of(given)));
      } else {
        check(CfC<TestType>(wiring, inputs, cfc_options_of(given)));
      }
    });
  }
}
