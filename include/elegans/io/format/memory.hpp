// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include <elegans/cell/memory/cell.hpp>
#include <elegans/cell/memory/parameters.hpp>
#include <elegans/io/format/model_format.hpp>
#include <elegans/io/format/model_names.hpp>
#include <elegans/io/format/model_tensors.hpp>
#include <elegans/io/safetensors.hpp>

namespace elegans {

/// A model with mixed memory in a file: the tensors of its inner cell, and those of an LSTM, which belong to the layer.
/// The format of the inner cell names the layer that `load_model` makes: `ModelWithMemory`.
template <typename Inner>
struct ModelFormat<MemoryCell<Inner>> : ModelFormat<Inner> {
  using Base = ModelFormat<Inner>;
  using Model = typename Base::ModelWithMemory;
  using Options = typename Base::Options;

  static std::string kind() { return std::string("Mixed") + Base::kind(); }
  static std::string spoken() { return std::string(Base::spoken()) + " with mixed memory"; }

  static std::optional<detail::ModelNames> recognize(const SafeTensors& file, std::string_view tensor) {
    const auto inner = Base::recognize(file, tensor);
    if (!inner || !file.find(inner->layer + "lstm.input_map.weight")) return std::nullopt;
    return with_layer_parts(*inner);
  }
  static detail::ModelNames names(const std::string& layer) { return with_layer_parts(Base::names(layer)); }

  static bool is_vector(std::string_view parameter) {
    return parameter == "lstm.input_map.bias" || Base::is_vector(parameter);
  }

  static Options read(detail::ModelTensors& tensors, ModelOutline& outline) {
    Options options = Base::read(tensors, outline);
    detail::add_lstm_parameters(outline.parameters, outline.units, outline.input_dim);
    return options;
  }
  static Model make(const ModelOutline& outline, const Options& options) {
    return Base::template make<Model>(outline, options);
  }

  template <typename Body>
  static void for_each_mask(const MemoryCell<Inner>& cell, Body&& body) {
    Base::for_each_mask(cell.inner(), std::forward<Body>(body));
  }
  static void write_metadata(const MemoryCell<Inner>& cell, nlohmann::json& all) {
    Base::write_metadata(cell.inner(), all);
  }

 private:
  static detail::ModelNames with_layer_parts(detail::ModelNames names) {
    names.layer_parts.emplace_back("lstm.");
    return names;
  }
};

}  // namespace elegans
