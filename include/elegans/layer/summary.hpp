// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <iomanip>
#include <locale>
#include <sstream>
#include <string>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// One layer in the table of a model.
struct SummaryRow {
  std::string layer;      ///< name (type), as "ltc (LTC)"
  Index output_dim;       ///< number of outputs per step
  bool return_sequences;  ///< true: outputs of all steps; false: of the last step only
  Index parameters;       ///< number of parameters
  int depth = 0;          ///< 0, or more for a layer whose parameters count in a row above it that has less depth
};

namespace detail {

/// The row of a layer that is not made of others. \param name  "ltc (LTC)"
template <typename Layer>
[[nodiscard]] SummaryRow summary_row(const char* name, const Layer& layer) {
  return {name, layer.output_dim(), layer.return_sequences(), layer.parameters().size()};
}

}  // namespace detail

/// The rows of a layer: its own `summary_rows()`, or one row for a user's layer that has no such function.
template <typename Layer>
[[nodiscard]] std::vector<SummaryRow> summary_rows_of(const Layer& layer) {
  if constexpr (requires { layer.summary_rows(); }) {
    return layer.summary_rows();
  } else {
    return {detail::summary_row("layer", layer)};
  }
}

namespace detail {

/// The name of a layer, or of one within it, that reads later steps; "" if there is none.
template <typename Layer>
[[nodiscard]] std::string acausal_layer_of(const Layer& layer) {
  if constexpr (requires { layer.acausal_layer(); }) {
    return layer.acausal_layer();
  } else if constexpr (requires { requires !Layer::is_causal; }) {
    return summary_rows_of(layer).front().layer;
  } else {
    return "";
  }
}

}  // namespace detail

/// The table that Keras prints for a model. Its shapes are (batch, time, features), or (batch, features) for the
/// outputs of the last step. None stands for any size.
[[nodiscard]] inline std::string summary_table(const std::vector<SummaryRow>& rows, std::size_t bytes_per_parameter) {
  const auto name_of = [](const SummaryRow& row) {
    return std::string(2 * static_cast<std::size_t>(row.depth), ' ') + row.layer;
  };
  std::size_t layer_width = 28;
  for (const SummaryRow& row : rows) layer_width = (std::max)(layer_width, name_of(row).size() + 2);
  constexpr int shape_width = 26;
  std::ostringstream text;
  text.imbue(std::locale::classic());
  const auto line = [&](const auto& layer, const auto& shape, const auto& parameters) {
    text << ' ' << std::left << std::setw(static_cast<int>(layer_width)) << layer << std::setw(shape_width) << shape
         << parameters << '\n';
  };
  const auto rule = [&](char c) { text << std::string(layer_width + 37, c) << '\n'; };
  Index total = 0;
  rule('_');
  line("Layer (type)", "Output Shape", "Param #");
  rule('=');
  for (const SummaryRow& row : rows) {
    line(name_of(row), detail::concatenate(row.return_sequences ? "(None, None, " : "(None, ", row.output_dim, ")"),
         row.parameters);
    if (row.depth == 0) total += row.parameters;
  }
  rule('=');
  text << "Total params: " << total << " (" << static_cast<std::size_t>(total) * bytes_per_parameter << " bytes)\n";
  text << "Trainable params: " << total << '\n';
  rule('_');
  return text.str();
}

}  // namespace elegans
