// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <elegans/core/parameters.hpp>
#include <elegans/io/safetensors.hpp>

namespace elegans::detail {

/// What comes before a model's names in a file: ncps calls a layer's cell `rnn_cell`, and whatever a layer is part of
/// puts its own name in front.
struct ModelNames {
  std::string layer;  ///< before `lstm.` and `fc.`
  std::string cell;   ///< before the cell's tensors
  bool is_ltc = true;
  bool is_wired_cfc = false;

  /// A parameter's name in the file.
  [[nodiscard]] std::string in_file(const std::string& name) const {
    return (name.starts_with("lstm.") || name.starts_with("fc.") ? layer : cell) + name;
  }
  friend bool operator==(const ModelNames&, const ModelNames&) = default;
};

/// The names that ncps gives, behind a prefix.
inline ModelNames model_names(const std::string& prefix = {}) { return {prefix, prefix + "rnn_cell."}; }

/// True for the parameters that are vectors in PyTorch. The others are matrices, even if one of their sizes is 1.
inline bool is_vector(std::string_view name) {
  name = name.substr(name.rfind('.') + 1);
  const auto vectors = {"gleak", "vleak", "cm", "input_w", "input_b", "output_w", "output_b", "bias"};
  return std::find(vectors.begin(), vectors.end(), name) != vectors.end();
}

inline std::vector<std::uint64_t> shape_in_file(const Parameter& entry) {
  if (is_vector(entry.name)) return {static_cast<std::uint64_t>(entry.rows)};
  return {static_cast<std::uint64_t>(entry.rows), static_cast<std::uint64_t>(entry.columns)};
}

/// Reads off a tensor's name what model it would be the mark of: `gleak` of an LTC, `ff1.weight` of a CfC.
inline std::optional<ModelNames> names_from_mark(std::string_view tensor) {
  const auto take_off = [&](std::string_view end) {
    if (!tensor.ends_with(end)) return false;
    const std::string_view rest = tensor.substr(0, tensor.size() - end.size());
    if (!rest.empty() && rest.back() != '.') return false;
    tensor = rest;
    return true;
  };
  ModelNames names;
  if (!take_off("gleak")) {
    if (!take_off("ff1.weight")) return std::nullopt;
    names.is_ltc = false;
    if (take_off("layer_0.")) {
      names.is_wired_cfc = true;
    } else if (!tensor.empty()) {
      // Another layer of a wired CfC, which layer_0 stands for.
      const std::string_view parent = tensor.substr(0, tensor.size() - 1);
      const std::string_view last = parent.substr(parent.rfind('.') + 1);
      if (last.starts_with("layer_") && last.find_first_not_of("0123456789", 6) == std::string_view::npos) {
        return std::nullopt;
      }
    }
  }
  names.cell = tensor;
  take_off("rnn_cell.");
  names.layer = tensor;
  return names;
}

/// The one model of a file, or the one with that prefix. \throws InvalidArgument if there is none, or more than one
inline ModelNames find_model(const SafeTensors& file, const std::optional<std::string>& prefix) {
  std::vector<ModelNames> found;
  for (const Tensor& tensor : file.tensors()) {
    if (const auto names = names_from_mark(tensor.name)) found.push_back(*names);
  }
  if (prefix) {
    const auto is_other = [&](const ModelNames& names) {
      const auto is = [&](const std::string& name) { return name == *prefix || name == *prefix + "."; };
      return !is(names.layer) && !is(names.cell);
    };
    found.erase(std::remove_if(found.begin(), found.end(), is_other), found.end());
  } else if (std::any_of(found.begin(), found.end(), [](const auto& n) { return n.layer.starts_with("param."); })) {
    // A golden file: gradients, which have the same names, are not the model.
    const auto is_data = [](const ModelNames& names) { return !names.layer.starts_with("param."); };
    found.erase(std::remove_if(found.begin(), found.end(), is_data), found.end());
  }
  if (found.empty()) {
    std::string some;
    for (std::size_t i = 0; i < std::min<std::size_t>(file.tensors().size(), 3); ++i) {
      some.append(i ? ", " : "").append(printable(file.tensors()[i].name));
    }
    file.refuse(
        "no model", prefix ? concatenate(" behind the prefix '", printable(*prefix), "'") : "",
        ": there is neither a tensor 'gleak' (of an LTC) nor 'ff1.weight' (of a CfC), with or without a prefix; ",
        file.tensors().empty() ? "the file is empty" : "there are " + some, file.tensors().size() > 3 ? ", ..." : "");
  }
  if (found.size() > 1) {
    std::string prefixes;
    for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 3); ++i) {
      prefixes += concatenate(i ? ", '" : "'", printable(found[i].layer), "'");
    }
    file.refuse("more than one model, behind the prefixes ", prefixes, found.size() > 3 ? ", ..." : "", ": choose one");
  }
  return found.front();
}

}  // namespace elegans::detail
