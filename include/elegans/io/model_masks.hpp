// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <elegans/cell/cfc/parameters.hpp>
#include <elegans/core/types.hpp>
#include <elegans/io/model_metadata.hpp>
#include <elegans/io/model_options.hpp>

namespace elegans::detail {

// What a model is besides its parameters: masks, which ncps counts among its tensors, and metadata.

/// The cell that steps, behind an LSTM or not.
template <typename Cell>
const auto& inner_cell(const Cell& cell) noexcept {
  if constexpr (requires { cell.inner(); }) {
    return cell.inner();
  } else {
    return cell;
  }
}

template <typename Cell>
inline constexpr bool is_ltc_cell = requires(const Cell& cell) { cell.wiring(); };

/// Calls body(name, rows, columns, exists) for each of a cell's masks, with exists(row, column) -> bool.
template <typename Cell, typename Body>
void for_each_mask(const Cell& cell, Body&& body) {
  if constexpr (is_ltc_cell<Cell>) {
    const auto polarity = cell.wiring().adjacency_matrix();
    const auto sensory = cell.wiring().sensory_adjacency_matrix();
    body("sparsity_mask", polarity.rows(), polarity.cols(),
         [polarity](Index s, Index d) { return polarity(s, d) != 0; });
    body("sensory_sparsity_mask", sensory.rows(), sensory.cols(),
         [sensory](Index s, Index d) { return sensory(s, d) != 0; });
  } else {
    for (const CfCLayout& block : cell.layout()) {
      if (block.mask.size() == 0) continue;
      const unsigned char* const mask = block.mask.data();
      const Index units = block.units;
      body(block.prefix + "sparsity_mask", units, block.inputs + units,
           [mask, units](Index o, Index j) { return mask[o + units * j] != 0; });
    }
  }
}

/// What the tensors of a model cannot tell.
template <typename Model>
nlohmann::json metadata_of(const Model& model) {
  const auto& cell = inner_cell(model.cell());
  constexpr bool is_ltc = is_ltc_cell<std::decay_t<decltype(cell)>>;
  constexpr bool is_mixed = requires { model.cell().inner(); };
  nlohmann::json all{{"version", metadata_version},
                     {"model", std::string(is_mixed ? "Mixed" : "") + (is_ltc ? "LTC" : "CfC")},
                     {"return_sequences", model.return_sequences()}};
  const auto& options = cell.options();
  if constexpr (is_ltc) {
    all["ode_unfolds"] = options.ode_unfolds;
    all["epsilon"] = options.epsilon;
    all["implicit_param_constraints"] = options.implicit_param_constraints;
    all["solver"] = name_in(solver_names, options.solver);
    all["output_dim"] = cell.output_dim();
    all["polarity"] = polarity_text(cell.wiring().adjacency_matrix());
    all["sensory_polarity"] = polarity_text(cell.wiring().sensory_adjacency_matrix());
    write_neurons(cell.wiring(), all);
  } else {
    all["mode"] = name_in(mode_names, options.mode);
    // What has no backbone has no use for one, whatever it is.
    if (cell.layout().front().backbone_layers > 0) {
      all["activation"] = name_in(activation_names, options.activation);
      all["backbone_dropout"] = options.backbone_dropout;
    }
  }
  return all;
}

}  // namespace elegans::detail
