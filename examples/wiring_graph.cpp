// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Makes a wiring and writes it as DOT, as a picture, or as JSON.
//
//     wiring_graph auto_ncp --units 28 --outputs 4 --inputs 8 --svg wiring.svg
//     wiring_graph ncp --inter 12,8 --inter-fanout 3,2 --command 6 --motor 2 --inputs 4 --png layers.png

#include <cstdint>
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <elegans/elegans.hpp>
#include <elegans/graph/graph.hpp>
#include <elegans/system/file.hpp>

#include "support/program.hpp"

namespace {

struct Request {
  std::string kind;
  int units = 8;
  int outputs = 1;
  int inputs = 2;
  std::optional<double> sparsity;
  std::optional<std::int64_t> seed;
  std::vector<int> inter{5};
  int command = 3;
  int motor = 1;
  int sensory_fanout = 2;
  std::vector<int> inter_fanout{2};
  int recurrent_command_synapses = 2;
  int motor_fanin = 2;
  std::string dot, svg, png, json;
};

elegans::Wiring<> make(const Request& request) {
  const auto seed = [&](std::int64_t by_default) {
    const std::int64_t value = request.seed.value_or(by_default);
    if (value < 0) elegans::detail::refuse("the seed must be at least 0, got ", value);
    return static_cast<std::uint64_t>(value);
  };
  const auto build = [&](auto wiring) {
    wiring.build(request.inputs);
    return elegans::Wiring<>(wiring);
  };
  if (request.kind == "fully_connected") {
    return build(elegans::FullyConnected(request.units, request.outputs, {.seed = seed(1111)}));
  }
  if (request.kind == "random") {
    return build(elegans::Random(request.units, request.outputs,
                                 {.sparsity = request.sparsity.value_or(0.0), .seed = seed(1111)}));
  }
  if (request.kind == "auto_ncp") {
    return build(elegans::AutoNCP(request.units, request.outputs,
                                  {.sparsity = request.sparsity.value_or(0.5), .seed = seed(22222)}));
  }
  return build(elegans::NCP({.inter_neurons = request.inter,
                             .command_neurons = request.command,
                             .motor_neurons = request.motor,
                             .sensory_fanout = request.sensory_fanout,
                             .inter_fanout = request.inter_fanout,
                             .recurrent_command_synapses = request.recurrent_command_synapses,
                             .motor_fanin = request.motor_fanin,
                             .seed = seed(22222)}));
}

/// The synapses as [source, destination, polarity], sorted by source, then by destination.
nlohmann::json list(const auto& polarity) {
  nlohmann::json synapses = nlohmann::json::array();
  for (Eigen::Index s = 0; s < polarity.rows(); ++s) {
    for (Eigen::Index d = 0; d < polarity.cols(); ++d) {
      if (polarity(s, d) != 0) synapses.push_back({s, d, polarity(s, d)});
    }
  }
  return synapses;
}

std::string json_of(const elegans::Wiring<>& wiring) {
  nlohmann::ordered_json json;
  json["units"] = wiring.units();
  json["input_dim"] = wiring.input_dim();
  json["output_dim"] = wiring.output_dim();
  json["adjacency"] = list(wiring.adjacency_matrix());
  json["sensory_adjacency"] = list(wiring.sensory_adjacency_matrix());
  json["synapse_count"] = wiring.synapse_count();
  json["sensory_synapse_count"] = wiring.sensory_synapse_count();
  json["neuron_types"] = nlohmann::json::array();
  for (int i = 0; i < wiring.units(); ++i) {
    json["neuron_types"].push_back(elegans::name_of(wiring.neuron_type(i)));
  }
  return json.dump() + "\n";
}

/// Writes to a file, or for "-" to standard output.
void emit(const std::string& where, const std::string& bytes) {
  if (where != "-") {
    elegans::write_file(where, bytes);
    return;
  }
  std::cout << bytes << std::flush;
  if (!std::cout) throw elegans::RuntimeError("cannot write to standard output");
}

/// Draws a wiring, and says on standard error how long that takes if it takes long.
///
/// \param per_second  about how many synapses Graphviz draws in that format
std::string draw(const elegans::Wiring<>& wiring, const std::string& format, int per_second) {
  const int synapses = wiring.synapse_count() + wiring.sensory_synapse_count();
  if (const int seconds = synapses / per_second; seconds >= 5) {
    std::fprintf(stderr, "wiring_graph: drawing %d synapses as %s takes about %d %s\n", synapses, format.c_str(),
                 seconds < 100 ? seconds : seconds / 60, seconds < 100 ? "seconds" : "minutes");
  }
  return format == "dot" ? elegans::to_dot(wiring) : elegans::render(wiring, format);
}

void run(const Request& request) {
  const elegans::Wiring<> wiring = make(request);
  const bool nothing_asked = request.dot.empty() && request.svg.empty() && request.png.empty() && request.json.empty();
  if (!request.dot.empty() || nothing_asked) {
    emit(nothing_asked ? "-" : request.dot, draw(wiring, "dot", 200000));
  }
  if (!request.svg.empty()) elegans::write_file(request.svg, draw(wiring, "svg", 50000));
  if (!request.png.empty()) elegans::write_file(request.png, draw(wiring, "png", 2500));
  if (!request.json.empty()) emit(request.json, json_of(wiring));
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  CLI::App app("Makes a wiring and writes it as DOT (by default, on standard output), as a picture or as JSON");
  app.add_option("KIND", request.kind, "fully_connected, random, ncp or auto_ncp")
      ->required()
      ->check(CLI::IsMember({"fully_connected", "random", "ncp", "auto_ncp"}));
  app.add_option("--inputs", request.inputs, "Number of inputs")->capture_default_str();
  app.add_option("--seed", request.seed,
                 "Seed of the random wiring; by default that of ncps: 1111, or 22222 for ncp and auto_ncp");
  auto* units = app.add_option("--units", request.units, "Number of neurons (not for ncp)")->capture_default_str();
  auto* outputs =
      app.add_option("--outputs", request.outputs, "Number of motor neurons (not for ncp)")->capture_default_str();
  auto* sparsity = app.add_option("--sparsity", request.sparsity,
                                  "Fraction of synapses left out: random (0 by default) and auto_ncp (0.5)");
  std::vector<CLI::Option*> of_ncp{
      app.add_option("--inter", request.inter, "ncp: inter neurons; 12,8 for two layers of them")
          ->delimiter(',')
          ->allow_extra_args(false)
          ->capture_default_str(),
      app.add_option("--command", request.command, "ncp: command neurons")->capture_default_str(),
      app.add_option("--motor", request.motor, "ncp: motor neurons")->capture_default_str(),
      app.add_option("--sensory-fanout", request.sensory_fanout, "ncp: synapses from each input")
          ->capture_default_str(),
      app.add_option("--inter-fanout", request.inter_fanout,
                     "ncp: synapses from each inter neuron to the layer that follows; one for all, or one per layer")
          ->delimiter(',')
          ->allow_extra_args(false)
          ->capture_default_str(),
      app.add_option("--recurrent-command-synapses", request.recurrent_command_synapses,
                     "ncp: synapses among command neurons, at most")
          ->capture_default_str(),
      app.add_option("--motor-fanin", request.motor_fanin, "ncp: synapses to each motor neuron")
          ->capture_default_str()};
  app.add_option("--dot", request.dot, "Write DOT here; - for standard output");
  app.add_option("--svg", request.svg, "Write an SVG picture here");
  app.add_option("--png", request.png, "Write a PNG picture here");
  app.add_option("--json", request.json, "Write sizes, synapses and neuron types here; - for standard output");
  return examples::run_program(
      app, argc, argv, "wiring_graph", [&] { run(request); },
      [&] {
        const auto refuse = [&](const CLI::Option* option, bool applies) {
          if (option->count() > 0 && !applies) {
            throw CLI::ValidationError(option->get_name(), "does not apply to " + request.kind);
          }
        };
        const bool ncp = request.kind == "ncp";
        for (const CLI::Option* option : of_ncp) refuse(option, ncp);
        refuse(units, !ncp);
        refuse(outputs, !ncp);
        refuse(sparsity, request.kind == "random" || request.kind == "auto_ncp");
      });
}
