// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <elegans/io/format/model_format.hpp>
#include <elegans/io/format/model_names.hpp>
#include <elegans/io/format/model_tensors.hpp>
#include <elegans/io/safetensors.hpp>
#include <elegans/layer/layer_norm.hpp>

namespace elegans {

/// A layer normalization in a file: the tensors of `torch.nn.LayerNorm` over the last dimension. Its weight has one
/// dimension, that of a `Dense` two. Epsilon is in the metadata.
template <typename Scalar>
struct ModelFormat<LayerNorm<Scalar>> {
  using Model = LayerNorm<Scalar>;
  using Options = LayerNormOptions;
  using MaskScalar = Scalar;

  static constexpr const char* kind() { return "LayerNorm"; }
  static constexpr const char* spoken() { return "a LayerNorm"; }

  static bool is_at(const SafeTensors& file, const std::string& prefix) {
    const Tensor* const weight = file.find(prefix + "weight");
    return weight && weight->shape.size() == 1;
  }
  static detail::ModelNames names(const std::string& layer) { return detail::names_without_cell(layer); }
  static bool is_vector(std::string_view) { return true; }

  static Options read(detail::ModelTensors& tensors, ModelOutline& outline) {
    const int features = tensors.size_of(tensors.get(tensors.names.layer + "weight"), 1, 0);
    outline.units = outline.input_dim = outline.output_dim = features;
    outline.parameters.add("weight", features, 1);
    outline.parameters.add("bias", features, 1);
    Options options;
    options.epsilon = tensors.option("epsilon", tensors.given.layer_norm_epsilon, options.epsilon);
    return options;
  }
  static Model make(const ModelOutline& outline, const Options& options) { return Model(outline.units, options); }

  template <typename Body>
  static void for_each_mask(const LayerNorm<Scalar>&, Body&&) {}
  static void write_metadata(const LayerNorm<Scalar>& layer, nlohmann::json& all) {
    all["epsilon"] = layer.options().epsilon;
  }
};

}  // namespace elegans
