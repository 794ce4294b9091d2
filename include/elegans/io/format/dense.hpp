// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <elegans/core/activation.hpp>
#include <elegans/io/format/model_format.hpp>
#include <elegans/io/format/model_names.hpp>
#include <elegans/io/format/model_tensors.hpp>
#include <elegans/io/model_options.hpp>
#include <elegans/io/safetensors.hpp>
#include <elegans/layer/dense.hpp>

namespace elegans {

/// A dense layer in a file: the tensors of `torch.nn.Linear`. The activation is in the metadata; without it there is
/// none, as in PyTorch.
template <typename Scalar, int Units, int Inputs>
struct ModelFormat<Dense<Scalar, Units, Inputs>> {
  using Model = Dense<Scalar>;
  using Options = DenseOptions;
  using MaskScalar = Scalar;

  static constexpr const char* kind() { return "Dense"; }
  static constexpr const char* spoken() { return "a Dense"; }

  static bool is_at(const SafeTensors& file, const std::string& prefix) {
    const Tensor* const weight = file.find(prefix + "weight");
    return weight && weight->shape.size() == 2;
  }
  static detail::ModelNames names(const std::string& layer) { return detail::names_without_cell(layer); }
  static bool is_vector(std::string_view parameter) { return parameter == "bias"; }

  static Options read(detail::ModelTensors& tensors, ModelOutline& outline) {
    const Tensor& weight = tensors.get(tensors.names.layer + "weight");
    outline.units = outline.output_dim = tensors.size_of(weight, 2, 0);
    outline.input_dim = tensors.size_of(weight, 2, 1);
    outline.parameters.add("weight", outline.units, outline.input_dim);
    outline.parameters.add("bias", outline.units, 1);
    Options options;
    options.activation = tensors.named_option("activation", detail::dense_activation_names, {}, Activation::linear);
    return options;
  }
  static Model make(const ModelOutline& outline, const Options& options) {
    return Model(outline.units, outline.input_dim, options);
  }

  template <typename Body>
  static void for_each_mask(const Dense<Scalar, Units, Inputs>&, Body&&) {}
  static void write_metadata(const Dense<Scalar, Units, Inputs>& layer, nlohmann::json& all) {
    all["activation"] = detail::name_in(detail::dense_activation_names, layer.options().activation);
  }
};

}  // namespace elegans
