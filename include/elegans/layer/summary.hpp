// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <iomanip>
#include <locale>
#include <sstream>
#include <string>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

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
  text.imbue(std::locale::classic());
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

}  // namespace elegans
