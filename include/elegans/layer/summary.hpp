// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <iomanip>
#include <sstream>
#include <string>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/wiring/concepts.hpp>

namespace elegans {

/// A line of a model's table.
struct SummaryRow {
  std::string layer;         ///< name (kind)
  std::string output_shape;  ///< (batch, time, features), None where any size will do
  Index parameters;
};

namespace detail {

/// A model's output as Keras writes it: (batch, time, features), or without time.
template <typename Model>
[[nodiscard]] std::string output_shape(const Model& model) {
  return concatenate(model.return_sequences() ? "(None, None, " : "(None, ", model.output_dim(), ")");
}

}  // namespace detail

/// A layer's lines: what it says itself, or one for a user's layer that says nothing.
template <typename Layer>
[[nodiscard]] std::vector<SummaryRow> summary_rows_of(const Layer& layer) {
  if constexpr (requires { layer.summary_rows(); }) {
    return layer.summary_rows();
  } else {
    return {{"layer", detail::output_shape(layer), layer.parameters().size()}};
  }
}

/// The table that Keras prints for a model.
[[nodiscard]] inline std::string summary_table(const std::vector<SummaryRow>& rows, std::size_t bytes_a_parameter) {
  constexpr int layer_width = 29;
  constexpr int shape_width = 26;
  constexpr std::size_t width = 65;
  std::ostringstream text;
  const auto line = [&](const auto& layer, const auto& shape, const auto& parameters) {
    text << ' ' << std::left << std::setw(layer_width - 1) << layer << std::setw(shape_width) << shape << parameters
         << '\n';
  };
  const auto rule = [&](char c) { text << std::string(width, c) << '\n'; };
  Index total = 0;
  rule('_');
  line("Layer (type)", "Output Shape", "Param #");
  rule('=');
  for (const SummaryRow& row : rows) {
    line(row.layer, row.output_shape, row.parameters);
    total += row.parameters;
  }
  rule('=');
  text << "Total params: " << total << " (" << static_cast<std::size_t>(total) * bytes_a_parameter << " bytes)\n";
  text << "Trainable params: " << total << '\n';
  rule('_');
  return text.str();
}

/// How many of a wiring's possible synapses exist. A model has parameters for each pair of neurons, as ncps' has; only
/// those of existing synapses are computed with, and trained.
template <AnyWiring W>
[[nodiscard]] std::string synapse_table(const W& wiring) {
  std::ostringstream text;
  const auto line = [&](const char* name, const auto& polarity) {
    Index count = 0;
    for (Index s = 0; s < polarity.rows(); ++s) {
      for (Index d = 0; d < polarity.cols(); ++d) count += polarity(s, d) != 0;
    }
    const Index possible = polarity.rows() * polarity.cols();
    text << name << count << " of " << possible << " (" << std::fixed << std::setprecision(2)
         << 100.0 * static_cast<double>(possible - count) / static_cast<double>(possible) << "% sparse)\n";
  };
  text << "Neurons: " << wiring.units() << ", of which " << wiring.output_dim() << " motor\n";
  line("Synapses: ", wiring.adjacency_matrix());
  line("Sensory synapses: ", wiring.sensory_adjacency_matrix());
  return text.str();
}

}  // namespace elegans
