// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <elegans/elegans.hpp>
#include <elegans/graph/graph.hpp>

#include "support/catch.hpp"
#include "support/decimal_comma.hpp"

using namespace elegans;

namespace {

AutoNCP<> ncp() {
  AutoNCP wiring(12, 2);
  wiring.build(3);
  return wiring;
}

std::string attribute(void* object, const char* name) {
  const char* const value = agget(object, const_cast<char*>(name));
  return value ? value : "";
}

}  // namespace

TEST_CASE("The DOT of a wiring reads back as that wiring", "[graph]") {
  const AutoNCP<> wiring = ncp();
  const std::string dot = to_dot(wiring);
  CHECK(dot == to_dot(wiring));
  const detail::GraphHandle graph(agmemread(dot.c_str()));
  REQUIRE(graph);
  CHECK(agnnodes(graph.get()) == wiring.units() + wiring.input_dim());
  CHECK(agnedges(graph.get()) == wiring.synapse_count() + wiring.sensory_synapse_count());
  const auto node = [&](const std::string& name) { return agnode(graph.get(), const_cast<char*>(name.c_str()), 0); };
  const GraphOptions colors;
  for (int i = 0; i < wiring.units(); ++i) {
    auto* const neuron = node("neuron_" + std::to_string(i));
    REQUIRE(neuron);
    const NeuronType type = wiring.neuron_type(i);
    CHECK(attribute(neuron, "fillcolor") == (type == NeuronType::motor     ? colors.motor_color
                                             : type == NeuronType::command ? colors.command_color
                                                                           : colors.inter_color));
    for (int j = 0; j < wiring.units(); ++j) {
      auto* const edge = agedge(graph.get(), neuron, node("neuron_" + std::to_string(j)), nullptr, 0);
      const int polarity = wiring.adjacency_matrix()(i, j);
      REQUIRE((edge != nullptr) == (polarity != 0));
      if (edge) CHECK(attribute(edge, "arrowhead") == (polarity > 0 ? "normal" : "tee"));
    }
  }
}

TEST_CASE("A wiring is drawn as SVG and PNG, and the same each time", "[graph]") {
  const AutoNCP<> wiring = ncp();
  CHECK(render(wiring, "svg").find("<svg") != std::string::npos);
  CHECK(render(wiring, "svg") == render(wiring, "svg"));
  CHECK(render(wiring, "png").substr(1, 3) == "PNG");
  CHECK(render(wiring, "svg", {.inter_color = "#123456", .layout = "dot"}).find("#123456") != std::string::npos);
  CHECK(render(wiring, "svg", {.legend = false}).find("excitatory</") == std::string::npos);
}

TEST_CASE("Pictures do not depend on the locale", "[graph][locale]") {
  const AutoNCP<> wiring = ncp();
  const std::string dot = to_dot(wiring), svg = render(wiring, "svg"), png = render(wiring, "png");
  const std::string other_layout = render(wiring, "svg", {.layout = "dot"});
  const support::DecimalComma comma;
  CHECK(to_dot(wiring) == dot);
  CHECK(render(wiring, "svg") == svg);
  CHECK(render(wiring, "png") == png);
  CHECK(render(wiring, "svg", {.layout = "dot"}) == other_layout);
}

TEST_CASE("Each inter layer has a column between the inputs and the command neurons", "[graph]") {
  NCP wiring({.inter_neurons = {4, 3},
              .command_neurons = 2,
              .motor_neurons = 1,
              .sensory_fanout = 2,
              .inter_fanout = 2,
              .recurrent_command_synapses = 0,
              .motor_fanin = 1});
  wiring.build(2);
  const auto ranks = detail::ranks_of(Wiring<>(wiring));
  REQUIRE(ranks.size() == 5);
  CHECK(ranks[1].neurons == std::vector{6, 7, 8, 9});
  CHECK(ranks[2].neurons == std::vector{3, 4, 5});
  CHECK(ranks[3].neurons == std::vector{1, 2});
  const std::string dot = to_dot(wiring);
  const detail::GraphHandle graph(agmemread(dot.c_str()));
  REQUIRE(graph);
  const auto along = [&](const char* name) {
    return std::stod(attribute(agnode(graph.get(), const_cast<char*>(name), 0), "pos"));
  };
  CHECK(along("sensory_0") < along("neuron_6"));
  CHECK(along("neuron_6") == along("neuron_9"));
  CHECK(along("neuron_6") < along("neuron_3"));
  CHECK(along("neuron_3") < along("neuron_1"));
  CHECK(along("neuron_1") < along("neuron_0"));
}

TEST_CASE("A picture of an unknown format or layout, or before the build, is refused", "[graph]") {
  const AutoNCP<> wiring = ncp();
  CHECK_THROWS_WITH(draw(wiring, "wiring.gif"), "draw: the file must end in .dot, .svg or .png, got 'wiring.gif'");
  CHECK_THROWS_WITH(render(wiring, "svg", GraphOptions{.layout = "no_such"}),
                    "graph: Graphviz has no layout 'no_such'");
  CHECK_THROWS_AS(to_dot(AutoNCP(8, 1)), InvalidArgument);
  CHECK_THROWS_AS(draw(wiring, "/nowhere/at/all/wiring.svg"), RuntimeError);
}

TEST_CASE("A drawing leaves one whole file and nothing else", "[graph]") {
  const auto folder = std::filesystem::temp_directory_path() / "elegans_graph_test";
  std::filesystem::create_directories(folder);
  draw(ncp(), folder / "wiring.dot");
  CHECK(std::filesystem::file_size(folder / "wiring.dot") == to_dot(ncp()).size());
  CHECK(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
  std::filesystem::remove_all(folder);
}
