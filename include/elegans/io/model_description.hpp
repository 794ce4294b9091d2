// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <elegans/core/error.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/io/format/metadata.hpp>
#include <elegans/io/format/model_tensors.hpp>
#include <elegans/io/formats.hpp>
#include <elegans/io/layer_description.hpp>
#include <elegans/io/model_options.hpp>
#include <elegans/io/safetensors.hpp>

namespace elegans {

namespace detail {

// A stack in a file. The names of a layer's tensors begin with the layer's number, as in a `torch.nn.Sequential`, or
// with `forward_layer` and `backward_layer`. Stacks nest: "1.forward_layer.0.weight". The metadata of a stack has its
// kind and, under `stack_key`, the metadata of each layer.

inline constexpr const char* stack_key = "stack";
inline constexpr const char* directions[] = {"forward_layer", "backward_layer"};

/// The part of a tensor's name behind a prefix, up to the next dot; "" if there is no dot.
inline std::string_view next_part(const Tensor& tensor, const std::string& prefix) {
  const std::string_view rest = std::string_view(tensor.name).substr(prefix.size());
  const std::size_t dot = rest.find('.');
  return dot == std::string_view::npos ? std::string_view() : rest.substr(0, dot);
}

/// The kind that the metadata of a model states; "" if it states none.
inline std::string kind_in(const nlohmann::json& about) {
  const bool has_kind = about.is_object() && about.contains("model") && about.at("model").is_string();
  return has_kind ? about.at("model").get<std::string>() : "";
}
inline bool is_stack_kind(const std::string& kind) { return kind == "Sequential" || kind == "Bidirectional"; }

/// Reads the description of a model: a layer, or a stack of them.
class ModelReader {
 public:
  /// \param expected  the kind of the model that the file is for, or "": it tells a stack of one layer from that layer
  ModelReader(const SafeTensors& file, const ModelFileOptions& options, std::string expected)
      : file_(file), options_(options), expected_(std::move(expected)), root_(read_metadata(file)) {}

  ModelDescription read() {
    Region all;
    for (const Tensor& tensor : file_.tensors()) all.push_back(&tensor);
    const bool is_golden = std::any_of(all.begin(), all.end(), [](auto* t) { return t->name.starts_with("param."); });
    const bool may_have_others = options_.prefix || is_golden;
    std::string prefix = options_.prefix.value_or(is_golden ? "param." : "");
    if (!prefix.empty() && prefix.back() != '.') prefix += '.';
    const nlohmann::json* about = &root_;
    Region region = all;
    if (may_have_others) {
      std::erase_if(region, [&](auto* tensor) { return !tensor->name.starts_with(prefix); });
      if (options_.prefix && is_stack_kind(kind_in(root_))) about = about_layer(all, prefix);
    } else {
      prefix = strip(region, prefix, expected_.empty() ? kind_in(root_) : expected_);
    }
    const std::string kind = kind_of(region, prefix, *about, expected_);
    ModelDescription model;
    if (!kind.empty()) {
      model = read_stack(region, prefix, kind, *about, options_, 0);
    } else if (const auto layer = lone_layer(region, prefix, *about)) {
      model = read_as(*layer, *about, options_);
    } else {
      model = read_as(find_model(file_, all, options_.prefix), *about, options_);
    }
    refuse_other_tensors(model, may_have_others);
    return model;
  }

 private:
  static constexpr int deepest = 16;                // stacks within stacks
  static constexpr std::size_t most_layers = 4096;  // of one stack

  /// Appends to a prefix the names of modules that contain all of the tensors, as "net.", and do not stand for a layer
  /// of a stack of that kind.
  static std::string strip(const Region& region, std::string prefix, const std::string& kind) {
    for (int depth = 0; depth < 4 * deepest && !region.empty(); ++depth) {
      const std::string part(next_part(*region.front(), prefix));
      const auto shares = [&](const Tensor* tensor) { return next_part(*tensor, prefix) == part; };
      if (part.empty() || part == "rnn_cell" || !std::all_of(region.begin(), region.end(), shares)) break;
      if (kind == "Sequential" && part == "0") break;
      prefix += part + ".";
    }
    return prefix;
  }

  /// The tensors by the part of their names that follows the prefix.
  static std::map<std::string, Region, std::less<>> by_part(const Region& region, const std::string& prefix) {
    std::map<std::string, Region, std::less<>> parts;
    for (const Tensor* const tensor : region) parts[std::string(next_part(*tensor, prefix))].push_back(tensor);
    return parts;
  }

  /// The kind of the stack that some tensors make up, or "" if they are those of a single layer. The metadata tells;
  /// without it, the names do. \param expected  tells for a stack that has a single layer
  [[nodiscard]] std::string kind_of(const Region& region, const std::string& prefix, const nlohmann::json& about,
                                    const std::string& expected = {}) const {
    if (const std::string kind = kind_in(about); !kind.empty()) return is_stack_kind(kind) ? kind : "";
    const auto parts = by_part(region, prefix);
    if (parts.size() == 2 && parts.contains(directions[0]) && parts.contains(directions[1])) return "Bidirectional";
    std::size_t numbers = 0;
    for (const auto& [part, of_part] : parts) {
      numbers += !part.empty() && part.find_first_not_of("0123456789") == std::string::npos;
    }
    if (numbers == 0 || numbers < parts.size()) return "";
    if (numbers == 1 && (expected != "Sequential" || !parts.contains("0"))) return "";
    for (std::size_t k = 0; k < numbers; ++k) {
      if (parts.contains(std::to_string(k))) continue;
      file_.refuse("there are ", numbers, " layers behind '", printable(prefix), "', but none has number ", k,
                   ": what a module without tensors does, such as an activation or a dropout, the file does not tell; "
                   "say it in the metadata, or choose a layer by its prefix");
    }
    return "Sequential";
  }

  /// The metadata of the layer that a caller's prefix chooses within a stack; null if there is none.
  const nlohmann::json* about_layer(const Region& all, const std::string& prefix) const {
    static const nlohmann::json none;
    const std::string start = strip(all, "", kind_in(root_));
    if (!prefix.starts_with(start)) return &none;
    const nlohmann::json* about = &root_;
    for (std::size_t at = start.size(); at < prefix.size();) {
      const std::size_t dot = prefix.find('.', at);
      about = about_part(*about, prefix.substr(at, dot - at));
      if (!about) return &none;
      at = dot + 1;
    }
    return about;
  }
  static const nlohmann::json* about_part(const nlohmann::json& about, const std::string& part) {
    if (!about.is_object() || !about.contains(stack_key) || !about.at(stack_key).is_array()) return nullptr;
    const nlohmann::json& layers = about.at(stack_key);
    for (std::size_t k = 0; k < layers.size(); ++k) {
      if (part == name_of_layer(kind_in(about), k)) return &layers[k];
    }
    return nullptr;
  }
  static std::string name_of_layer(const std::string& kind, std::size_t k) {
    return kind == "Sequential" ? std::to_string(k) : directions[k % 2];
  }

  [[nodiscard]] std::optional<ModelCandidate> lone_layer(const Region& region, const std::string& prefix,
                                                         const nlohmann::json& about) const {
    if (!find_models(file_, region).empty()) return std::nullopt;
    return find_layer(file_, prefix, kind_in(about));
  }

  ModelDescription read_as(const ModelCandidate& candidate, const nlohmann::json& about,
                           const ModelFileOptions& options) {
    ModelDescription model;
    ModelFormats<double>::find([&](std::size_t index, auto format) {
      if (index != candidate.format) return false;
      model = read_description<decltype(format)>(file_, candidate, options, about, found_);
      return true;
    });
    return model;
  }

  // NOLINTBEGIN(misc-no-recursion): a stack is refused if it is too deep.

  /// Reads a layer of a stack.
  ModelDescription read_layer(const Region& region, const std::string& prefix, const nlohmann::json& about,
                              const ModelFileOptions& options, int depth) {
    const std::string stack = kind_of(region, prefix, about);
    if (!stack.empty()) return read_stack(region, prefix, stack, about, options, depth);
    const std::vector<ModelCandidate> models = find_models(file_, region);
    if (models.size() > 1) file_.refuse("more than one model behind '", printable(prefix), "'");
    if (!models.empty()) return read_as(models.front(), about, options);
    const auto layer = find_layer(file_, strip(region, prefix, ""), kind_in(about));
    if (!layer) {
      file_.refuse("the tensors behind '", printable(prefix), "' are those of no layer that elegans knows",
                   region.empty() ? "" : ", such as '" + printable(region.front()->name) + "'");
    }
    return read_as(*layer, about, options);
  }

  ModelDescription read_stack(const Region& region, const std::string& prefix, const std::string& kind,
                              const nlohmann::json& about, const ModelFileOptions& options, int depth) {
    if (depth == deepest) file_.refuse("stacks may be at most ", deepest, " deep, got '", printable(prefix), "'");
    auto parts = by_part(region, prefix);
    std::size_t count = kind == "Sequential" ? parts.size() : 2;
    static const nlohmann::json none;
    const nlohmann::json* abouts = nullptr;
    if (about.is_object()) {
      const bool has_layers = about.contains(stack_key) && about.at(stack_key).is_array();
      if (!has_layers) file_.refuse("__metadata__: the ", kind, " '", printable(prefix), "' has no list of layers");
      abouts = &about.at(stack_key);
      count = abouts->size();
    }
    if (count < 1 || count > most_layers || (kind == "Bidirectional" && count != 2)) {
      file_.refuse("a ", kind, " cannot have ", count, " layers");
    }
    ModelDescription stack;
    stack.kind = kind;
    stack.names.layer = stack.names.cell = prefix;
    stack.has_metadata = about.is_object();
    stack.layers.resize(count);
    // The last layer first: how many inputs it has tells how many outputs the one before it has.
    for (std::size_t k = count; k-- > 0;) {
      ModelFileOptions own = options;
      own.prefix.reset();
      own.return_sequences.reset();
      const bool feeds_another = kind == "Sequential" && k + 1 < count;
      if (feeds_another || kind == "Bidirectional") own.output_dim.reset();
      if (feeds_another && !abouts) own.output_dim = stack.layers[k + 1].input_dim;
      const std::string name = name_of_layer(kind, k);
      stack.layers[k] = read_layer(parts[name], prefix + name + ".", abouts ? (*abouts)[k] : none, own, depth + 1);
    }
    join(stack);
    return stack;
  }
  // NOLINTEND(misc-no-recursion)

  /// Makes the sizes and the list of parameters of a stack from those of its layers.
  void join(ModelDescription& stack) const {
    stack.input_dim = stack.layers.front().input_dim;
    for (std::size_t k = 0; k < stack.layers.size(); ++k) {
      const ModelDescription& layer = stack.layers[k];
      const bool is_chain = stack.kind == "Sequential";
      const int wanted = is_chain && k > 0 ? stack.output_dim : stack.input_dim;
      if (layer.input_dim != wanted) {
        file_.refuse("the layer '", printable(stack.names.layer), name_of_layer(stack.kind, k), "' must have ", wanted,
                     " inputs, got ", layer.input_dim);
      }
      // A layer without tensors may have any size.
      if (!is_chain && layer.output_dim > (std::numeric_limits<int>::max)() - stack.output_dim) {
        file_.refuse("the Bidirectional '", printable(stack.names.layer), "' has too many outputs, ", stack.output_dim,
                     " and ", layer.output_dim);
      }
      stack.output_dim = is_chain ? layer.output_dim : stack.output_dim + layer.output_dim;
      for (const Parameter& entry : layer.parameters) {
        stack.parameters.add(name_of_layer(stack.kind, k) + "." + entry.name, entry.rows, entry.columns);
      }
    }
  }

  /// Refuses tensors that are not part of the model, unless a prefix tells them apart.
  void refuse_other_tensors(const ModelDescription& model, bool may_have_others) const {
    const ModelNames& names = model.names;
    for (const Tensor& tensor : file_.tensors()) {
      if (found_.contains(tensor.name)) continue;
      if (may_have_others && !tensor.name.starts_with(names.layer)) continue;
      if (may_have_others && names.layer.empty() && !tensor.name.starts_with(names.cell)) continue;
      file_.refuse("the tensor '", printable(tensor.name), "' is no part of the ", model.kind,
                   " that the others make up");
    }
  }

  const SafeTensors& file_;
  const ModelFileOptions& options_;
  std::string expected_;
  nlohmann::json root_;
  ModelTensors::Found found_;
};

/// See `describe_model`. \param expected  the kind of the model that the file is for, or ""
inline ModelDescription describe_model_as(const SafeTensors& file, const ModelFileOptions& options,
                                          const std::string& expected) {
  try {
    return ModelReader(file, options, expected).read();
  } catch (const InvalidArgument& error) {
    // A wiring does not know the name of the file.
    const std::string_view message = error.what();
    if (message.starts_with(file.name())) throw;
    file.refuse(message);
  }
}

}  // namespace detail

/// Describes the model in a file.
///
/// \param options  what the file's tensors cannot tell, for files that elegans did not write
/// \throws InvalidArgument if the file holds no model, more than one, or tensors beside it, or if the options do not
///         fit; the message names file, tensor and cause
inline ModelDescription describe_model(const SafeTensors& file, const ModelFileOptions& options = {}) {
  return detail::describe_model_as(file, options, "");
}

}  // namespace elegans
