// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace elegans::detail {

/// How a file names the tensors of one layer. ncps calls a layer's cell `rnn_cell`, and every module that contains the
/// layer puts its own name in front: "0.rnn_cell.w" is the tensor `w` of the first layer of a `torch.nn.Sequential`.
struct ModelNames {
  std::string layer;                     ///< the prefix of the layer, with its dot: "0."
  std::string cell;                      ///< the prefix of the layer's cell: "0.rnn_cell."
  std::vector<std::string> layer_parts;  ///< parameters that the layer owns, not its cell, begin with one of these

  /// A parameter's name in the file.
  [[nodiscard]] std::string in_file(const std::string& parameter) const {
    const bool is_of_layer = std::any_of(layer_parts.begin(), layer_parts.end(),
                                         [&](const std::string& part) { return parameter.starts_with(part); });
    return (is_of_layer ? layer : cell) + parameter;
  }
};

/// Removes `end` from a tensor's name. False, and no change, unless `end` is a whole part of the dotted name.
inline bool remove_last_part(std::string_view& name, std::string_view end) {
  if (!name.ends_with(end)) return false;
  const std::string_view rest = name.substr(0, name.size() - end.size());
  if (!rest.empty() && rest.back() != '.') return false;
  name = rest;
  return true;
}

/// The names of a layer whose cell has that prefix, with its dot: "0.rnn_cell." or, for a cell's own state_dict, "0.".
inline ModelNames names_of_cell(std::string_view cell) {
  ModelNames names;
  names.cell = cell;
  remove_last_part(cell, "rnn_cell.");
  names.layer = cell;
  return names;
}

/// The names that ncps gives to a layer with that prefix.
inline ModelNames names_of_layer(const std::string& layer) { return names_of_cell(layer + "rnn_cell."); }

/// The names of a layer whose tensors lie right behind that prefix, as those of PyTorch's own layers do.
inline ModelNames names_without_cell(const std::string& layer) { return {layer, layer, {}}; }

}  // namespace elegans::detail
