// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <elegans/core/error.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/io/format/model_format.hpp>
#include <elegans/io/format/model_names.hpp>
#include <elegans/io/format/model_tensors.hpp>
#include <elegans/io/formats.hpp>
#include <elegans/io/model_options.hpp>
#include <elegans/io/safetensors.hpp>

namespace elegans {

/// A model in a file: all that is needed to make it, but the values of its parameters. A stack has a description of
/// each of its layers, and no format, options, wiring and units of its own.
struct ModelDescription : ModelOutline {
  /// "LTC", "MixedLTC", "CfC", "MixedCfC", "LSTM", "GRU", "Dense", "LayerNorm", "Dropout"; "Sequential" or
  /// "Bidirectional"
  std::string kind;
  std::vector<ModelDescription> layers{};  ///< of a stack, by their numbers; or the forward and the backward layer
  std::size_t format = 0;                  ///< the index of its format in `detail::ModelFormats`
  AnyModelOptions options;                 ///< those of its kind
  detail::ModelNames names;                ///< how the file names its tensors
  bool has_metadata = false;               ///< true if elegans wrote the file
  nlohmann::json stated;  ///< the options that the metadata or the caller states; others are ncps' defaults
};

namespace detail {

/// A model that a file seems to hold: one of its tensors is the mark of a format.
struct ModelCandidate {
  ModelNames names;
  std::size_t format = 0;
};

/// Some tensors of a file, in its order.
using Region = std::vector<const Tensor*>;

/// The marks of all formats, for messages: "'gleak' (of an LTC) or 'ff1.weight' (of a CfC)".
inline std::string describe_marks() {
  std::vector<std::string> marks;
  std::string text;
  // A cell with memory has the mark of its inner cell. The inner cell comes later in the list: its text stays.
  ModelFormats<double>::find([&](std::size_t, auto format) {
    if constexpr (requires { format.mark; }) {
      const std::string mark = std::string("'") + format.mark + "'";
      const auto same = [&](const std::string& other) { return other.starts_with(mark); };
      marks.erase(std::remove_if(marks.begin(), marks.end(), same), marks.end());
      marks.push_back(mark + " (of " + format.spoken() + ")");
    }
    return false;
  });
  for (const std::string& mark : marks) text.append(text.empty() ? "" : " or ").append(mark);
  return text;
}

/// The models of ncps among some tensors, in the order of these.
inline std::vector<ModelCandidate> find_models(const SafeTensors& file, const Region& region) {
  std::vector<ModelCandidate> found;
  for (const Tensor* const tensor : region) {
    ModelFormats<double>::find([&](std::size_t index, auto format) {
      if constexpr (requires { format.mark; }) {
        const auto names = format.recognize(file, tensor->name);
        if (names) found.push_back({*names, index});
        return names.has_value();
      }
      return false;
    });
  }
  return found;
}

/// The layer that is no model of ncps and lies behind a prefix.
///
/// \param kind  its kind if the metadata tells it, or ""
inline std::optional<ModelCandidate> find_layer(const SafeTensors& file, const std::string& prefix,
                                                const std::string& kind) {
  std::optional<ModelCandidate> found;
  ModelFormats<double>::find([&](std::size_t index, auto format) {
    if constexpr (requires { format.is_at(file, prefix); }) {
      if (kind.empty() ? format.is_at(file, prefix) : kind == format.kind()) {
        found = ModelCandidate{format.names(prefix), index};
      }
    }
    return found.has_value();
  });
  return found;
}

/// The one model of a file, or the one with that prefix. \throws InvalidArgument if there is none, or more than one
inline ModelCandidate find_model(const SafeTensors& file, const Region& region,
                                 const std::optional<std::string>& prefix) {
  std::vector<ModelCandidate> found = find_models(file, region);
  const auto is_golden = [](const ModelCandidate& candidate) { return candidate.names.layer.starts_with("param."); };
  if (prefix) {
    std::erase_if(found, [&](const ModelCandidate& candidate) {
      const auto is_prefix = [&](const std::string& name) { return name == *prefix || name == *prefix + "."; };
      return !is_prefix(candidate.names.layer) && !is_prefix(candidate.names.cell);
    });
  } else if (std::any_of(found.begin(), found.end(), is_golden)) {
    // In a golden file, the gradients have the same names as the model behind another prefix.
    std::erase_if(found, [&](const ModelCandidate& candidate) { return !is_golden(candidate); });
  }
  if (found.empty()) {
    std::string some;
    for (std::size_t i = 0; i < std::min<std::size_t>(file.tensors().size(), 3); ++i) {
      some.append(i ? ", " : "").append(printable(file.tensors()[i].name));
    }
    file.refuse("no model", prefix ? concatenate(" behind the prefix '", printable(*prefix), "'") : "",
                ": there is no tensor ", describe_marks(), ", with or without a prefix; ",
                file.tensors().empty() ? "the file is empty" : "there are " + some,
                file.tensors().size() > 3 ? ", ..." : "");
  }
  if (found.size() > 1) {
    std::string prefixes;
    for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 3); ++i) {
      prefixes += concatenate(i ? ", '" : "'", printable(found[i].names.layer), "'");
    }
    file.refuse("more than one model, behind the prefixes ", prefixes, found.size() > 3 ? ", ..." : "", ": choose one");
  }
  return found.front();
}

/// Reads what a file says about a model of that format, and checks that all of its parameters are there.
///
/// \param about  the metadata of this model, null if there is none
template <typename Format>
ModelDescription read_description(const SafeTensors& file, const ModelCandidate& candidate,
                                  const ModelFileOptions& options, const nlohmann::json& about,
                                  ModelTensors::Found& found) {
  ModelTensors tensors(file, candidate.names, options, about, Format::spoken(), found);
  ModelDescription model;
  model.kind = Format::kind();
  model.format = candidate.format;
  model.names = candidate.names;
  model.has_metadata = tensors.metadata.is_object();
  model.options = Format::read(tensors, model);
  model.stated = tensors.stated();
  const auto kind = tensors.value<std::string>("model", model.kind);
  if (kind != model.kind) {
    file.refuse("the tensors are those of a model of kind ", model.kind, ", the metadata says ", printable(kind));
  }
  for (const Parameter& entry : model.parameters) {
    const Tensor& tensor = tensors.get(model.names.in_file(entry.name), shape_in_file<Format>(entry));
    if (!is_real(tensor.type)) {
      file.refuse(printable(tensor.name), ": a parameter must be F64, F32, F16 or BF16, got ",
                  describe(tensor.type).name);
    }
  }
  return model;
}

}  // namespace detail
}  // namespace elegans
