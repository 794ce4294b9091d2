// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <cgraph.h>

#include <elegans/core/error.hpp>
#include <elegans/core/number_text.hpp>
#include <elegans/graph/layers.hpp>
#include <elegans/graph/options.hpp>
#include <elegans/wiring/concepts.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

namespace detail {

struct CloseGraph {
  void operator()(Agraph_t* graph) const { agclose(graph); }
};
using GraphHandle = std::unique_ptr<Agraph_t, CloseGraph>;

/// Builds the graph of a wiring with cgraph alone. It refers to the wiring and the options, which must outlive it.
class DotBuilder {
 public:
  DotBuilder(Wiring<>&&, const GraphOptions&) = delete;
  DotBuilder(const Wiring<>& wiring, const GraphOptions& options)
      : wiring_(wiring), options_(options), graph_(agopen(text("wiring"), Agstrictdirected, nullptr)) {
    if (!graph_) fail("graph: cgraph could not open a graph");
  }

  [[nodiscard]] GraphHandle build() && {
    const std::vector<Rank> ranks = ranks_of(wiring_);
    set_graph();
    add_neurons(ranks);
    add_synapses();
    return std::move(graph_);
  }

 private:
  // The functions of cgraph take text that is not const, but do not change it.
  static char* text(const char* value) { return const_cast<char*>(value); }
  static char* text(const std::string& value) { return text(value.c_str()); }
  static void set(void* object, const char* name, const std::string& value) {
    agsafeset(object, text(name), text(value), text(""));
  }
  [[nodiscard]] bool is_layered() const { return options_.layout == "layers"; }

  [[nodiscard]] std::string color_of(NeuronType type) const {
    return type == NeuronType::motor     ? options_.motor_color
           : type == NeuronType::command ? options_.command_color
                                         : options_.inter_color;
  }
  [[nodiscard]] static std::string name_of_node(int neuron) {
    return neuron < 0 ? "sensory_" + std::to_string(-1 - neuron) : "neuron_" + std::to_string(neuron);
  }

  void set_graph() {
    const bool across = options_.direction == GraphDirection::left_to_right;
    set(graph_.get(), "rankdir", across ? "LR" : "TB");
    set(graph_.get(), "bgcolor", "white");
    set(graph_.get(), "outputorder", "edgesfirst");
    set(graph_.get(), "pad", "0.25");
    set(graph_.get(), "nodesep", "0.2");
    set(graph_.get(), "ranksep", "1.6");
    set(graph_.get(), "fontname", "Helvetica,Arial,sans-serif");
    set(graph_.get(), "splines", is_layered() ? "line" : "true");
    if (options_.legend) set_legend();
  }

  /// Puts the legend into the label of the graph, so that every node is a neuron.
  void set_legend() {
    std::string cells;
    const auto cell = [&](const std::string& color, const char* sign, const std::string& meaning) {
      cells += "<TD><FONT COLOR=\"" + color + "\">" + sign + "</FONT> " + meaning + "</TD>";
    };
    cell(options_.sensory_color, "&#9679;", "sensory");
    for (const NeuronType type : {NeuronType::inter, NeuronType::command, NeuronType::motor}) {
      for (int i = 0; i < wiring_.units(); ++i) {
        if (wiring_.neuron_type(i) != type) continue;
        cell(color_of(type), "&#9679;", elegans::name_of(type));
        break;
      }
    }
    cell(options_.excitatory_color, "&#8594;", "excitatory");
    cell(options_.inhibitory_color, "&#8867;", "inhibitory");
    const std::string table = R"(<TABLE BORDER="0" CELLSPACING="8"><TR>)" + cells + "</TR></TABLE>";
    char* const html = agstrdup_html(graph_.get(), text(table));
    agsafeset(graph_.get(), text("label"), html, text(""));
    agstrfree(graph_.get(), html);
    set(graph_.get(), "labelloc", "b");
    set(graph_.get(), "fontsize", "14");
  }

  void add_neurons(const std::vector<Rank>& ranks) {
    double along = 0;
    double half_width_before = 0;
    double tallest = 0;
    for (const Rank& rank : ranks) {
      for (const Point& point : points_in(rank)) tallest = (std::max)(tallest, point.y);
    }
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      const Rank& rank = ranks[r];
      const std::vector<Point> points = points_in(rank);
      double half_width = 0;
      for (const Point& point : points) half_width = (std::max)(half_width, point.x);
      // In a tall picture the synapses between two ranks would run too steeply, so widen the gap with the height.
      if (r > 0) along += half_width_before + half_width + (std::max)(1.5, 0.45 * tallest);
      half_width_before = half_width;
      // The subgraph has no name: cgraph writes named ones in the order of the addresses of their names, which differs
      // from run to run.
      Agraph_t* const subgraph = agsubg(graph_.get(), nullptr, 1);
      set(subgraph, "rank", r == 0 ? "source" : r + 1 == ranks.size() ? "sink" : "same");
      for (std::size_t k = 0; k < points.size(); ++k) {
        add_neuron(subgraph, rank.neurons[k], {along + points[k].x, points[k].y});
      }
    }
  }

  void add_neuron(Agraph_t* subgraph, int neuron, const Point& point) {
    Agnode_t* const node = agnode(subgraph, text(name_of_node(neuron)), 1);
    if (!node) fail("graph: cgraph could not add the neuron ", name_of_node(neuron));
    const bool sensory = neuron < 0;
    set(node, "shape", sensory ? "square" : "circle");
    set(node, "style", "filled");
    set(node, "fillcolor", sensory ? options_.sensory_color : color_of(wiring_.neuron_type(neuron)));
    set(node, "color", "#ffffff");
    set(node, "fontcolor", "#ffffff");
    set(node, "fontname", "Helvetica-Bold,Arial Bold,sans-serif");
    set(node, "fontsize", "13");
    set(node, "fixedsize", "true");
    set(node, "width", "0.42");
    set(node, "height", "0.42");
    set(node, "label", options_.labels ? std::to_string(sensory ? -1 - neuron : neuron) : std::string());
    set(node, "tooltip", sensory ? "sensory" : elegans::name_of(wiring_.neuron_type(neuron)));
    if (!is_layered()) return;
    const bool across = options_.direction == GraphDirection::left_to_right;
    const auto inches = [](double value) { return number_text(value, 3, std::chars_format::fixed); };
    set(node, "pos", inches(across ? point.x : point.y) + "," + inches(across ? point.y : -point.x) + "!");
  }

  void add_synapses() {
    const auto synapses = wiring_.adjacency_matrix();
    const auto sensory = wiring_.sensory_adjacency_matrix();
    const int count = wiring_.synapse_count() + wiring_.sensory_synapse_count();
    for (int s = 0; s < wiring_.input_dim(); ++s) {
      for (int d = 0; d < wiring_.units(); ++d) add_synapse(-1 - s, d, sensory(s, d), count);
    }
    for (int s = 0; s < wiring_.units(); ++s) {
      for (int d = 0; d < wiring_.units(); ++d) add_synapse(s, d, synapses(s, d), count);
    }
  }

  void add_synapse(int source, int destination, int polarity, int count) {
    if (polarity == 0) return;
    Agnode_t* const from = agnode(graph_.get(), text(name_of_node(source)), 0);
    Agnode_t* const to = agnode(graph_.get(), text(name_of_node(destination)), 0);
    Agedge_t* const edge = agedge(graph_.get(), from, to, nullptr, 1);
    if (!edge) fail("graph: cgraph could not add a synapse");
    const bool excitatory = polarity > 0;
    // If there are many synapses, draw them thin and transparent, so that those behind them show.
    const char* const alpha = count > 1500 ? "40" : count > 400 ? "70" : count > 100 ? "a0" : "";
    const std::string& color = excitatory ? options_.excitatory_color : options_.inhibitory_color;
    set(edge, "color", color.size() == 7 && color[0] == '#' ? color + alpha : color);
    set(edge, "arrowhead", excitatory ? "normal" : "tee");
    set(edge, "arrowsize", count > 400 ? "0.4" : count > 100 ? "0.5" : "0.7");
    set(edge, "penwidth", count > 400 ? "0.6" : count > 100 ? "0.9" : "1.4");
    set(edge, "tooltip", excitatory ? "excitatory" : "inhibitory");
  }

  const Wiring<>& wiring_;
  const GraphOptions& options_;
  GraphHandle graph_;
};

template <AnyWiring W>
GraphHandle graph_of(const W& wiring, const GraphOptions& options) {
  if (!wiring.is_built()) refuse("graph: the wiring must know its number of inputs: call build(input_dim) first");
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): for most wirings this is a conversion.
  const Wiring<> copy(wiring);
  return DotBuilder(copy, options).build();
}

/// The bytes that a function of Graphviz writes to a FILE.
template <typename Write>
std::string bytes_of(Write write) {
  std::FILE* const file = std::tmpfile();
  if (!file) fail("graph: no room for a temporary file");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> closer(file, &std::fclose);
  if (write(file) != 0) fail("graph: cgraph could not write");
  std::string bytes(static_cast<std::size_t>((std::max)(0L, std::ftell(file))), '\0');
  if (std::fseek(file, 0, SEEK_SET) != 0 || std::fread(bytes.data(), 1, bytes.size(), file) != bytes.size()) {
    fail("graph: could not read back what was written");
  }
  return bytes;
}

}  // namespace detail

/// A wiring in the DOT language. Its nodes are `sensory_0` … and `neuron_0` …, ranked sensory, inter, command, motor.
/// The same wiring gives the same bytes.
///
/// \throws InvalidArgument before the `build` of the wiring
/// \note   Graphviz has global state, so draw from one thread at a time.
template <AnyWiring W>
[[nodiscard]] std::string to_dot(const W& wiring, const GraphOptions& options = {}) {
  const detail::GraphHandle graph = detail::graph_of(wiring, options);
  return detail::bytes_of([&](std::FILE* file) { return agwrite(graph.get(), file); });
}

}  // namespace elegans
