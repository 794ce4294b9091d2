// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Turns a model file into a header: weights as constants, sizes in the type.
//
//     export_header model.safetensors --out model.hpp
//
// What includes it needs elegans and Eigen to compile, and at run time neither files, heap, exceptions nor RTTI.

#include <cctype>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <elegans/core/file.hpp>
#include <elegans/core/version.hpp>
#include <elegans/io/model_description.hpp>

#include "support/model_arguments.hpp"
#include "support/program.hpp"

namespace {

struct Request {
  std::string model, out, name = "model", precision;
  elegans::ModelFileOptions options;
};

/// Every number as a hexadecimal literal, which is exact.
template <typename Scalar>
std::string literal(Scalar value) {
  char text[40];
  std::snprintf(text, sizeof text, sizeof(Scalar) == 4 ? "%af" : "%a", static_cast<double>(value));
  return text;
}

/// A list, broken into lines.
template <typename Item>
void write_list(std::ostream& out, Eigen::Index count, Item&& item) {
  std::string line = "   ";
  for (Eigen::Index i = 0; i < count; ++i) {
    const std::string text = elegans::detail::concatenate(" ", item(i), i + 1 < count ? "," : "");
    if (line.size() + text.size() > 118) {
      out << line << "\n";
      line = "   ";
    }
    line += text;
  }
  out << line << "\n";
}

template <typename Matrix>
void write_synapses(std::ostream& out, const char* name, const Matrix& polarity) {
  std::vector<std::string> synapses;
  for (Eigen::Index s = 0; s < polarity.rows(); ++s) {
    for (Eigen::Index d = 0; d < polarity.cols(); ++d) {
      if (polarity(s, d) == 0) continue;
      synapses.push_back(elegans::detail::concatenate("{", s, ", ", d, ", ", polarity(s, d), "}"));
    }
  }
  out << "inline constexpr std::array<Synapse, " << synapses.size() << "> " << name << "{{\n";
  write_list(out, static_cast<Eigen::Index>(synapses.size()),
             [&](Eigen::Index i) { return synapses[static_cast<std::size_t>(i)]; });
  out << "}};\n";
}

template <typename Scalar>
std::string header_of(const elegans::SafeTensors& file, const elegans::ModelDescription& model,
                      const Request& request) {
  const elegans::LTCOptions& options = model.ltc;
  std::vector<Scalar> values(static_cast<std::size_t>(model.parameters.count()));
  for (const elegans::Parameter& entry : model.parameters) {
    file.copy(file.at(model.names.in_file(entry.name)), entry.rows, entry.columns, values.data() + entry.offset);
  }
  const auto mapping = [](elegans::Mapping value) {
    return value == elegans::Mapping::affine ? "affine" : value == elegans::Mapping::linear ? "linear" : "none";
  };
  std::ostringstream out;
  out << "// Made by export_header of elegans " << ELEGANS_VERSION_MAJOR << "." << ELEGANS_VERSION_MINOR << "."
      << ELEGANS_VERSION_PATCH << " from a model file; do not edit, export again.\n"
      << "//\n"
      << "//     " << request.name << "::Model net;\n"
      << "//     auto state = net.initial_state();\n"
      << "//     " << request.name << "::Scalar y = net.step(x, state, elapsed_time)(0, 0);\n"
      << "#pragma once\n\n#include <array>\n\n#include <elegans/layer/ltc.hpp>\n\n"
      << "namespace " << request.name << " {\n\n"
      << "using Scalar = " << (sizeof(Scalar) == 4 ? "float" : "double") << ";\n\n"
      << "inline constexpr int inputs = " << model.input_dim << ";\n"
      << "inline constexpr int units = " << model.units << ";\n"
      << "inline constexpr int outputs = " << model.output_dim << ";\n\n"
      << "struct Synapse {\n  int source, destination, polarity;\n};\n";
  write_synapses(out, "synapses", model.wiring->adjacency_matrix());
  write_synapses(out, "sensory_synapses", model.wiring->sensory_adjacency_matrix());
  out << "\n// Column by column:\n";
  for (const elegans::Parameter& entry : model.parameters) {
    out << "//     " << entry.name << " (" << entry.rows << ", " << entry.columns << ")\n";
  }
  out << "inline constexpr std::array<Scalar, " << values.size() << "> weights{\n";
  write_list(out, model.parameters.count(),
             [&](Eigen::Index i) { return literal(values[static_cast<std::size_t>(i)]); });
  out << "};\n\n"
      << "using Circuit = elegans::Wiring<units, outputs, inputs>;\n"
      << "using Network = elegans::LTC<Scalar, Circuit>;\n\n"
      << "/// The network, held in place: as a static object, or a member, rather than on a small stack.\n"
      << "class Model : public Network {\n"
      << " public:\n"
      << "  Model() : Network(make_wiring(), make_options()) {\n"
      << "    restore([](auto all) { all = elegans::ConstVectorView<Scalar>(weights.data(), all.size()); });\n"
      << "  }\n\n"
      << " private:\n"
      << "  static Circuit make_wiring() {\n"
      << "    Circuit result;\n"
      << "    result.build(" << request.name << "::inputs);\n"
      << "    for (const Synapse& s : synapses) result.add_synapse(s.source, s.destination, s.polarity);\n"
      << "    for (const Synapse& s : sensory_synapses) {\n"
      << "      result.add_sensory_synapse(s.source, s.destination, s.polarity);\n"
      << "    }\n"
      << "    return result;\n"
      << "  }\n"
      << "  static elegans::LTCOptions make_options() {\n"
      << "    return {.input_mapping = elegans::Mapping::" << mapping(options.input_mapping) << ",\n"
      << "            .output_mapping = elegans::Mapping::" << mapping(options.output_mapping) << ",\n"
      << "            .solver = elegans::ODESolver::"
      << elegans::detail::name_in(elegans::detail::solver_names, options.solver) << ",\n"
      << "            .ode_unfolds = " << options.ode_unfolds << ",\n"
      << "            .epsilon = " << literal(options.epsilon) << ",\n"
      << "            .implicit_param_constraints = " << (options.implicit_param_constraints ? "true" : "false")
      << "};\n"
      << "  }\n"
      << "};\n\n"
      << "}  // namespace " << request.name << "\n";
  return out.str();
}

void run(Request& request) {
  const elegans::SafeTensors file{std::filesystem::path(request.model)};
  const elegans::ModelDescription model = elegans::describe_model(file, request.options);
  if (!model.is_ltc() || model.mixed_memory) {
    file.refuse("only an LTC without mixed memory can be exported, not a ", model.kind(),
                ": its cell keeps its values on the heap");
  }
  // Beyond, a network in place is larger than what compilers and stacks are made for.
  if (model.units > 256 || model.input_dim > 256) {
    file.refuse("a model to export must have at most 256 units and 256 inputs, got ", model.units, " and ",
                model.input_dim);
  }
  elegans::detail::check(model.ltc);
  if (request.precision.empty()) {
    const elegans::Tensor& first = file.at(model.names.in_file("gleak"));
    request.precision = first.type == elegans::TensorType::f64 ? "double" : "float";
  }
  elegans::write_file(request.out, request.precision == "float" ? header_of<float>(file, model, request)
                                                                : header_of<double>(file, model, request));
}

std::string check_name(const std::string& name) {
  bool fits = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0;
  for (const char c : name) fits = fits && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_');
  return fits ? "" : "must be a name of C++, got " + name;
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  CLI::App app("Turns a model file into a C++ header");
  app.add_option("MODEL", request.model, "Model file: ncps' state_dict, or written by elegans")->required();
  app.add_option("--out", request.out, "The header")->required();
  app.add_option("--name", request.name, "Its namespace")->capture_default_str()->check(check_name);
  app.add_option("--precision", request.precision, "Of the weights and the computation (the file's)")
      ->check(CLI::IsMember({"float", "double"}));
  examples::ModelArguments arguments(app);
  return examples::run_program(app, argc, argv, "export_header", [&] {
    request.options = arguments.options();
    run(request);
  });
}
