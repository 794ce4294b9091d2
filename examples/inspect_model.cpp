// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Prints the contents of a model file: kind, sizes, options, wiring and the range of each tensor.
//
//     inspect_model model.safetensors

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <locale>
#include <sstream>
#include <string>
#include <variant>

#include <CLI/CLI.hpp>

#include <elegans/io/model_description.hpp>

#include "support/model_arguments.hpp"
#include "support/program.hpp"

namespace {

using elegans::ModelDescription;

const char* name_of(elegans::Mapping mapping) {
  return mapping == elegans::Mapping::affine ? "affine" : mapping == elegans::Mapping::linear ? "linear" : "none";
}

/// What the tensors' shapes do not tell, or "" if there is nothing.
std::string options_of(const ModelDescription& model) {
  using namespace elegans::detail;
  if (const auto* const ltc = std::get_if<elegans::LTCOptions>(&model.options)) {
    return concatenate("unfolds ", ltc->ode_unfolds, ", epsilon ", ltc->epsilon, ", constraints ",
                       name_in(constraint_names, ltc->implicit_param_constraints), ", solver ",
                       name_in(solver_names, ltc->solver), ", input mapping ", name_of(ltc->input_mapping),
                       ", output mapping ", name_of(ltc->output_mapping));
  }
  if (const auto* const dense = std::get_if<elegans::DenseOptions>(&model.options)) {
    return concatenate("activation ", name_in(dense_activation_names, dense->activation));
  }
  if (const auto* const norm = std::get_if<elegans::LayerNormOptions>(&model.options)) {
    return concatenate("epsilon ", norm->epsilon);
  }
  if (const auto* const dropout = std::get_if<elegans::DropoutOptions>(&model.options)) {
    return concatenate("share ", dropout->share, ", seed ", dropout->seed);
  }
  if (std::holds_alternative<elegans::GatedOptions>(model.options)) return "";
  const auto& cfc = std::get<elegans::CfCOptions>(model.options);
  std::string text = concatenate("mode ", name_in(mode_names, cfc.mode));
  if (cfc.backbone_layers > 0) {
    text += concatenate(", backbone ", cfc.backbone_layers, " x ", cfc.backbone_units, ", activation ",
                        name_in(activation_names, cfc.activation));
  }
  if (cfc.proj_size > 0) text += concatenate(", projection to ", cfc.proj_size);
  return text;
}

/// Prints the sizes of the layers, the number of synapses, and the number of inhibitory ones.
void print_wiring(const ModelDescription& model, std::ostream& out) {
  const bool has_wiring = std::holds_alternative<elegans::LTCOptions>(model.options) ||
                          std::holds_alternative<elegans::CfCOptions>(model.options);
  if (!has_wiring) return;
  if (!model.wiring) {
    out << "Wiring: none, all neurons in one layer\n";
    return;
  }
  const elegans::Wiring<>& wiring = *model.wiring;
  out << "Wiring: layers";
  for (int layer = 0; layer < wiring.num_layers(); ++layer) {
    out << (layer ? " -> " : " ") << wiring.neurons_of_layer(layer).size();
  }
  const auto print = [&](const char* what, const auto& polarity) {
    const auto count = (polarity.array() != 0).count();
    out << "  " << what << count << " of " << polarity.size();
    // A CfC has masks, but no polarities.
    if (std::holds_alternative<elegans::LTCOptions>(model.options))
      out << ", " << (polarity.array() < 0).count() << " inhibitory";
    out << "\n";
  };
  out << "\n";
  print("Synapses: ", wiring.adjacency_matrix());
  print("Sensory synapses: ", wiring.sensory_adjacency_matrix());
}

void print_parameters(const elegans::SafeTensors& file, const ModelDescription& model, std::ostream& out) {
  if (model.parameters.size() == 0) return;
  const auto name = [&](const elegans::Parameter& entry) {
    return elegans::detail::printable(model.names.in_file(entry.name));
  };
  std::size_t longest = 0;
  for (const elegans::Parameter& entry : model.parameters) longest = std::max(longest, name(entry).size());
  const int width = static_cast<int>(longest) + 2;
  out << "\n"
      << std::left << std::setw(width) << "Tensor" << std::setw(6) << "Type" << std::setw(14) << "Shape" << std::right
      << std::setw(10) << "Values" << std::setw(13) << "Smallest" << std::setw(13) << "Mean" << std::setw(13)
      << "Largest"
      << "\n";
  for (const elegans::Parameter& entry : model.parameters) {
    const elegans::Tensor& tensor = file.at(model.names.in_file(entry.name));
    Eigen::ArrayXXd values(entry.rows, entry.columns);
    file.copy(tensor, entry.rows, entry.columns, values.data());
    out << std::left << std::setw(width) << name(entry) << std::setw(6) << elegans::detail::describe(tensor.type).name
        << std::setw(14) << elegans::detail::shape_text(tensor.shape) << std::right << std::setw(10) << entry.size()
        << std::setprecision(5) << std::setw(13) << values.minCoeff() << std::setw(13) << values.mean() << std::setw(13)
        << values.maxCoeff() << "\n";
  }
  out << "Parameters: " << model.parameters.count() << "\n";
}

/// Prints a layer, or the layers of a stack one after the other.
void print_model(const elegans::SafeTensors& file, const ModelDescription& model, const char* title,
                 std::ostream& out) {
  out << title << ": " << model.kind << ", " << model.input_dim << " inputs, ";
  if (model.layers.empty()) out << model.units << " units, ";
  out << model.output_dim << " outputs";
  if (!model.layers.empty()) {
    out << ", " << model.layers.size() << " layers, " << model.parameters.count() << " parameters";
  }
  out << "\n";
  if (!model.names.layer.empty()) out << "Prefix: " << elegans::detail::printable(model.names.layer) << "\n";
  if (model.layers.empty() && !options_of(model).empty()) out << "Options: " << options_of(model) << "\n";
  if (!model.has_metadata) {
    out << "  Another program wrote the file: options that you did not give have the defaults of ncps and PyTorch.\n";
  }
  for (const ModelDescription& layer : model.layers) print_model(file, layer, "\nLayer", out);
  if (!model.layers.empty()) return;
  print_wiring(model, out);
  print_parameters(file, model, out);
}

void inspect(const std::string& path, const elegans::ModelFileOptions& options, std::ostream& out) {
  const elegans::SafeTensors file{std::filesystem::path(path)};
  const ModelDescription model = elegans::describe_model(file, options);
  print_model(file, model, "Model", out);
  if (!file.metadata().empty()) out << "\nMetadata:\n";
  for (const auto& [key, value] : file.metadata()) {
    out << "  " << elegans::detail::printable(key) << ": " << elegans::detail::printable(value) << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::string path;
  CLI::App app("Prints what a model file holds");
  app.add_option("MODEL", path, "Model file: ncps' state_dict, or written by elegans")->required();
  examples::ModelArguments arguments(app);
  return examples::run_program(app, argc, argv, "inspect_model", [&] {
    std::ostringstream card;
    card.imbue(std::locale::classic());
    inspect(path, arguments.options(), card);
    std::cout << card.str();
  });
}
