// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <elegans/core/error.hpp>
#include <elegans/io/format/metadata.hpp>
#include <elegans/io/format/model_names.hpp>
#include <elegans/io/model_options.hpp>
#include <elegans/io/safetensors.hpp>

namespace elegans::detail {

/// One model's part of a file: finds its tensors by name, checks their shapes, and reads its options. Remembers which
/// tensors it found, so that others can be refused, and which options the metadata or the caller states.
class ModelTensors {
 public:
  using Shape = std::vector<std::uint64_t>;

  using Found = std::unordered_set<std::string_view>;

  /// \param options      the caller's options
  /// \param about        the metadata of the model, null if there is none
  /// \param spoken_kind  the kind of the model as messages name it: "an LTC"
  /// \param found        gets the names of the tensors that are part of the model
  ModelTensors(const SafeTensors& safetensors, ModelNames model_names, const ModelFileOptions& options,
               nlohmann::json about, std::string spoken_kind, Found& found)
      : given(options),
        names(std::move(model_names)),
        metadata(std::move(about)),
        file_(safetensors),
        spoken_(std::move(spoken_kind)),
        found_(found) {}

  const ModelFileOptions& given;
  const ModelNames names;
  const nlohmann::json metadata;  ///< null if elegans did not write the file

  [[nodiscard]] const SafeTensors& file() const noexcept { return file_; }

  /// The tensor of a name; null if there is none.
  const Tensor* find(const std::string& name) {
    const Tensor* const tensor = file_.find(name);
    if (tensor) found_.insert(tensor->name);
    return tensor;
  }
  /// The tensor of a name. \throws InvalidArgument if there is none
  const Tensor& get(const std::string& name) {
    const Tensor* const tensor = find(name);
    if (!tensor) file_.refuse("the tensor '", printable(name), "' is missing, which ", spoken_, " has");
    return *tensor;
  }
  /// The tensor of a name and a shape. \throws InvalidArgument if there is none, or if it has another shape
  const Tensor& get(const std::string& name, const Shape& shape) {
    const Tensor& tensor = get(name);
    if (tensor.shape != shape) {
      file_.refuse(printable(name), ": the shape must be ", shape_text(shape), ", got ", shape_text(tensor.shape));
    }
    return tensor;
  }

  /// One extent of a tensor whose shape tells the size of the model.
  /// \throws InvalidArgument if it has not `rank` dimensions, or if an extent is 0 or no `int`
  [[nodiscard]] int size_of(const Tensor& tensor, std::size_t rank, std::size_t dimension) const {
    if (tensor.shape.size() != rank) {
      file_.refuse(printable(tensor.name), ": must have ", rank, rank == 1 ? " dimension" : " dimensions", ", got ",
                   shape_text(tensor.shape));
    }
    for (const std::uint64_t extent : tensor.shape) {
      if (extent < 1 || extent > 0x7fffffff) {
        file_.refuse(printable(tensor.name), ": sizes must be in [1, 2147483647], got ", shape_text(tensor.shape));
      }
    }
    return static_cast<int>(tensor.shape[dimension]);
  }

  /// Calls exists(row, column) for each 1 of a mask. \throws InvalidArgument if a value is neither 0 nor 1
  template <typename Exists>
  void read_mask(const Tensor& mask, Exists&& exists) const {
    const auto columns = static_cast<std::size_t>(mask.shape[1]);
    with_values(mask, [&](auto&& value_of) {
      for (std::size_t i = 0; i < mask.size(); ++i) {
        const auto value = value_of(i);
        if (value != 0 && value != 1) {
          file_.refuse(printable(mask.name), ": a mask must have values 0 and 1, got ", static_cast<double>(value),
                       " in row ", i / columns, ", column ", i % columns);
        }
        if (value != 0) exists(static_cast<int>(i / columns), static_cast<int>(i % columns));
      }
    });
  }

  /// Calls body(value_of) with value_of(i), the value number i of a tensor, row by row.
  /// \throws InvalidArgument if elegans cannot read values of its type
  template <typename Body>
  void with_values(const Tensor& tensor, Body&& body) const {
    if (!detail::with_values(tensor.type, tensor.bytes, body)) {
      file_.refuse(printable(tensor.name), ": values of type ", describe(tensor.type).name, " cannot be read");
    }
  }

  /// A value of the metadata that does not change what a step computes.
  template <typename Value>
  [[nodiscard]] Value value(const char* key, const Value& otherwise) const {
    return metadata_value<Value>(file_, metadata, key, otherwise);
  }

  /// An option: what the caller gave, or else what the metadata says, or else ncps' default.
  template <typename Value>
  Value option(const char* key, const std::optional<Value>& given_value, const Value& otherwise) {
    const Value chosen = given_value.value_or(value(key, otherwise));
    state(key, given_value.has_value(), chosen);
    return chosen;
  }
  /// An option whose values have names. \throws InvalidArgument if the metadata has another name
  template <typename Table, typename Value>
  Value named_option(const char* key, const Table& table, const std::optional<Value>& given_value, Value otherwise) {
    Value chosen = otherwise;
    if (given_value) {
      chosen = *given_value;
    } else if (const auto name = value<std::string>(key, ""); !name.empty()) {
      chosen = value_in(table, (file_.name() + ": __metadata__: " + key).c_str(), name);
    }
    state(key, given_value.has_value(), name_in(table, chosen));
    return chosen;
  }

  /// The options that the file or the caller states, by their keys in the metadata.
  [[nodiscard]] const nlohmann::json& stated() const noexcept { return stated_; }

 private:
  template <typename Value>
  void state(const char* key, bool is_given, const Value& chosen) {
    if (is_given || (metadata.is_object() && metadata.contains(key))) stated_[key] = chosen;
  }

  const SafeTensors& file_;
  std::string spoken_;
  Found& found_;
  nlohmann::json stated_ = nlohmann::json::object();
};

}  // namespace elegans::detail
