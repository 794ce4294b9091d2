// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <elegans/cell/ltc/cell.hpp>
#include <elegans/cell/ltc/options.hpp>
#include <elegans/cell/ltc/parameters.hpp>
#include <elegans/core/types.hpp>
#include <elegans/io/format/metadata.hpp>
#include <elegans/io/format/model_format.hpp>
#include <elegans/io/format/model_names.hpp>
#include <elegans/io/format/model_tensors.hpp>
#include <elegans/io/model_options.hpp>
#include <elegans/io/safetensors.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

namespace detail {

/// Adds a synapse for each 1 of a mask, with the polarity that the metadata has, or else with the sign of erev.
template <typename Add>
void read_synapses(ModelTensors& tensors, const ModelOutline& outline, const std::string& which, int sources,
                   Add&& add) {
  const ModelTensors::Shape shape{static_cast<std::uint64_t>(sources), static_cast<std::uint64_t>(outline.units)};
  const auto columns = static_cast<std::size_t>(outline.units);
  const Tensor& mask = tensors.get(tensors.names.cell + which + "sparsity_mask", shape);
  const Tensor& erev = tensors.get(tensors.names.cell + which + "erev", shape);
  const auto polarity = tensors.value<std::string>((which + "polarity").c_str(), "");
  std::size_t count = 0;
  tensors.with_values(erev, [&](auto&& erev_of) {
    tensors.read_mask(mask, [&](int source, int destination) {
      const bool is_inhibitory =
          polarity.empty()
              ? erev_of(static_cast<std::size_t>(source) * columns + static_cast<std::size_t>(destination)) < 0
              : count < polarity.size() && polarity[count] == '-';
      ++count;
      add(source, destination, is_inhibitory ? -1 : 1);
    });
  });
  if (!polarity.empty() && polarity.size() != count) {
    tensors.file().refuse("__metadata__: ", which, "polarity has ", polarity.size(), " signs, ", which,
                          "sparsity_mask has ", count, " synapses");
  }
}

/// Reads an LTC's options, sizes and wiring.
inline LTCOptions read_ltc(ModelTensors& tensors, ModelOutline& outline) {
  const std::string& cell = tensors.names.cell;
  const ModelFileOptions& given = tensors.given;
  LTCOptions options;
  options.ode_unfolds = tensors.option("ode_unfolds", given.ode_unfolds, 6);
  options.epsilon = tensors.option("epsilon", given.epsilon, 1e-8);
  options.implicit_param_constraints =
      tensors.option("implicit_param_constraints", given.implicit_param_constraints, true);
  options.solver = tensors.named_option("solver", solver_names, given.solver, ODESolver::semi_implicit);
  options.return_sequences = given.return_sequences.value_or(tensors.value("return_sequences", true));
  const auto mapping = [&](const char* w, const char* b) {
    if (!tensors.find(cell + w)) return Mapping::none;
    return tensors.find(cell + b) ? Mapping::affine : Mapping::linear;
  };
  options.input_mapping = mapping("input_w", "input_b");
  options.output_mapping = mapping("output_w", "output_b");

  outline.units = tensors.size_of(tensors.get(cell + "gleak"), 1, 0);
  outline.input_dim = tensors.size_of(tensors.get(cell + "sensory_w"), 2, 0);
  if (options.output_mapping == Mapping::none) {
    outline.output_dim = tensors.option("output_dim", given.output_dim, outline.units);
  } else {
    outline.output_dim = tensors.size_of(tensors.get(cell + "output_w"), 1, 0);
    const auto outputs = given.output_dim.value_or(outline.output_dim);
    if (outputs != outline.output_dim) {
      tensors.file().refuse("the model has ", outline.output_dim, " outputs, as ", printable(cell + "output_w"),
                            " says, and cannot have ", outputs);
    }
  }
  // A wiring of these sizes takes memory. Before we make one, the file must hold a tensor as large.
  tensors.get(cell + "w", {static_cast<std::uint64_t>(outline.units), static_cast<std::uint64_t>(outline.units)});
  Wiring<> wiring(outline.units, outline.output_dim);
  wiring.build(outline.input_dim);
  read_synapses(tensors, outline, "", outline.units,
                [&](int s, int d, int polarity) { wiring.add_synapse(s, d, polarity); });
  read_synapses(tensors, outline, "sensory_", outline.input_dim,
                [&](int s, int d, int polarity) { wiring.add_sensory_synapse(s, d, polarity); });
  read_neurons(tensors.file(), tensors.metadata, wiring);
  outline.wiring = std::move(wiring);
  for (const Parameter& entry : ltc_parameters(outline.units, outline.output_dim, outline.input_dim, options)) {
    outline.parameters.add(entry.name, entry.rows, entry.columns);
  }
  return options;
}

}  // namespace detail

/// An LTC in a file: the tensors and masks of `ncps.torch.LTC`.
template <typename Scalar, int Units, int Outputs, int Inputs>
struct ModelFormat<LTCCell<Scalar, Units, Outputs, Inputs>> {
  using Model = LTC<Scalar>;
  using ModelWithMemory = MixedLTC<Scalar>;
  using Options = LTCOptions;
  using MaskScalar = Scalar;
  static constexpr const char* mark = "gleak";

  static constexpr const char* kind() { return "LTC"; }
  static constexpr const char* spoken() { return "an LTC"; }

  static std::optional<detail::ModelNames> recognize(const SafeTensors&, std::string_view tensor) {
    if (!detail::remove_last_part(tensor, mark)) return std::nullopt;
    return detail::names_of_cell(tensor);
  }
  static detail::ModelNames names(const std::string& layer) { return detail::names_of_layer(layer); }

  static bool is_vector(std::string_view parameter) {
    constexpr std::string_view vectors[] = {"gleak", "vleak", "cm", "input_w", "input_b", "output_w", "output_b"};
    return std::find(std::begin(vectors), std::end(vectors), parameter) != std::end(vectors);
  }

  static Options read(detail::ModelTensors& tensors, ModelOutline& outline) {
    return detail::read_ltc(tensors, outline);
  }
  template <typename Made = Model>
  static Made make(const ModelOutline& outline, const Options& options) {
    return Made(*outline.wiring, outline.input_dim, options);
  }

  template <typename Cell, typename Body>
  static void for_each_mask(const Cell& cell, Body&& body) {
    const auto polarity = cell.wiring().adjacency_matrix();
    const auto sensory = cell.wiring().sensory_adjacency_matrix();
    body("sparsity_mask", polarity.rows(), polarity.cols(),
         [polarity](Index s, Index d) { return polarity(s, d) != 0; });
    body("sensory_sparsity_mask", sensory.rows(), sensory.cols(),
         [sensory](Index s, Index d) { return sensory(s, d) != 0; });
  }

  template <typename Cell>
  static void write_metadata(const Cell& cell, nlohmann::json& all) {
    const LTCOptions& options = cell.options();
    all["ode_unfolds"] = options.ode_unfolds;
    all["epsilon"] = options.epsilon;
    all["implicit_param_constraints"] = options.implicit_param_constraints;
    all["solver"] = detail::name_in(detail::solver_names, options.solver);
    all["output_dim"] = cell.output_dim();
    all["polarity"] = detail::polarity_text(cell.wiring().adjacency_matrix());
    all["sensory_polarity"] = detail::polarity_text(cell.wiring().sensory_adjacency_matrix());
    detail::write_neurons(cell.wiring(), all);
  }
};

}  // namespace elegans
