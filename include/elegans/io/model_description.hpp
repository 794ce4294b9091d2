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

/// A model in a file: all that is needed to make it, but the values of its parameters.
struct ModelDescription : ModelOutline {
  std::string kind;           ///< "LTC", "MixedLTC", "CfC" or "MixedCfC"
  std::size_t format = 0;     ///< the index of its format in `detail::ModelFormats`
  AnyModelOptions options;    ///< `LTCOptions` or `CfCOptions`
  detail::ModelNames names;   ///< how the file names its tensors
  bool has_metadata = false;  ///< true if elegans wrote the file
  nlohmann::json stated;      ///< the options that the metadata or the caller states; others are ncps' defaults
};

namespace detail {

/// A model that a file seems to hold: one of its tensors is the mark of a format.
struct ModelCandidate {
  ModelNames names;
  std::size_t format = 0;
};

/// The marks of all formats, for messages: "'gleak' (of an LTC) or 'ff1.weight' (of a CfC)".
inline std::string describe_marks() {
  std::vector<std::string> marks;
  std::string text;
  // A cell with memory has the mark of its inner cell. The inner cell comes later in the list: its text stays.
  ModelFormats<double>::find([&](std::size_t, auto format) {
    const std::string mark = std::string("'") + format.mark + "'";
    const auto same = [&](const std::string& other) { return other.starts_with(mark); };
    marks.erase(std::remove_if(marks.begin(), marks.end(), same), marks.end());
    marks.push_back(mark + " (of " + format.spoken() + ")");
    return false;
  });
  for (const std::string& mark : marks) text.append(text.empty() ? "" : " or ").append(mark);
  return text;
}

/// Every model of a file, in the order of its tensors.
inline std::vector<ModelCandidate> find_models(const SafeTensors& file) {
  std::vector<ModelCandidate> found;
  for (const Tensor& tensor : file.tensors()) {
    ModelFormats<double>::find([&](std::size_t index, auto format) {
      const auto names = format.recognize(file, tensor.name);
      if (names) found.push_back({*names, index});
      return names.has_value();
    });
  }
  return found;
}

/// The one model of a file, or the one with that prefix. \throws InvalidArgument if there is none, or more than one
inline ModelCandidate find_model(const SafeTensors& file, const std::optional<std::string>& prefix) {
  std::vector<ModelCandidate> found = find_models(file);
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

/// Refuses tensors that are not part of the model, unless a prefix tells them apart.
inline void refuse_other_tensors(const ModelTensors& tensors, const std::string& kind) {
  const ModelNames& names = tensors.names;
  const bool may_have_others = tensors.given.prefix || names.layer.starts_with("param.");
  for (const Tensor& tensor : tensors.file().tensors()) {
    if (tensors.has_found(tensor)) continue;
    if (may_have_others && !tensor.name.starts_with(names.layer)) continue;
    if (may_have_others && names.layer.empty() && !tensor.name.starts_with(names.cell)) continue;
    tensors.file().refuse("the tensor '", printable(tensor.name), "' is no part of the ", kind,
                          " that the others make up");
  }
}

/// Reads what a file says about a model of that format, and checks that all of its parameters are there.
template <typename Format>
ModelDescription read_description(const SafeTensors& file, const ModelCandidate& candidate,
                                  const ModelFileOptions& options) {
  ModelTensors tensors(file, candidate.names, options, Format::spoken());
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
  refuse_other_tensors(tensors, model.kind);
  return model;
}

}  // namespace detail

/// Describes the model in a file.
///
/// \param options  what the file's tensors cannot tell, for files that elegans did not write
/// \throws InvalidArgument if the file holds no model, more than one, or tensors beside it, or if the options do not
///         fit; the message names file, tensor and cause
inline ModelDescription describe_model(const SafeTensors& file, const ModelFileOptions& options = {}) {
  try {
    const detail::ModelCandidate candidate = detail::find_model(file, options.prefix);
    ModelDescription model;
    detail::ModelFormats<double>::find([&](std::size_t index, auto format) {
      if (index != candidate.format) return false;
      model = detail::read_description<decltype(format)>(file, candidate, options);
      return true;
    });
    return model;
  } catch (const InvalidArgument& error) {
    // A wiring does not know the name of the file.
    const std::string_view message = error.what();
    if (message.starts_with(file.name())) throw;
    file.refuse(message);
  }
}

}  // namespace elegans
