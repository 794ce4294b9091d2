// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <elegans/cell/gated/cell.hpp>
#include <elegans/cell/gated/gru.hpp>
#include <elegans/cell/gated/lstm.hpp>
#include <elegans/cell/gated/options.hpp>
#include <elegans/io/format/model_format.hpp>
#include <elegans/io/format/model_names.hpp>
#include <elegans/io/format/model_tensors.hpp>
#include <elegans/io/safetensors.hpp>
#include <elegans/model/gru.hpp>
#include <elegans/model/lstm.hpp>

namespace elegans {

namespace detail {

/// What the formats of an LSTM and of a GRU share. The shape of `weight_hh_l0` tells which of them it is.
template <typename ModelType, int Gates>
struct GatedFormat {
  using Model = ModelType;
  using Options = GatedOptions;
  using MaskScalar = typename Model::Scalar;

  static bool is_at(const SafeTensors& file, const std::string& prefix) {
    const Tensor* const weight = file.find(prefix + "weight_hh_l0");
    return weight && weight->shape.size() == 2 && weight->shape[0] == Gates * weight->shape[1];
  }
  static ModelNames names(const std::string& layer) { return names_without_cell(layer); }
  static bool is_vector(std::string_view parameter) { return parameter.starts_with("bias"); }

  static Options read(ModelTensors& tensors, ModelOutline& outline) {
    const std::string& layer = tensors.names.layer;
    const Tensor& weight = tensors.get(layer + "weight_hh_l0");
    outline.units = outline.output_dim = tensors.size_of(weight, 2, 1);
    const auto columns = static_cast<std::uint64_t>(outline.units);
    tensors.get(weight.name, {Gates * columns, columns});
    outline.input_dim = tensors.size_of(tensors.get(layer + "weight_ih_l0"), 2, 1);
    outline.parameters = gated_parameters(Gates, outline.units, outline.input_dim);
    Options options;
    options.return_sequences = tensors.given.return_sequences.value_or(tensors.value("return_sequences", true));
    return options;
  }
  static Model make(const ModelOutline& outline, const Options& options) {
    return Model(outline.units, outline.input_dim, options);
  }

  template <typename Cell, typename Body>
  static void for_each_mask(const Cell&, Body&&) {}
  template <typename Cell>
  static void write_metadata(const Cell&, nlohmann::json&) {}
};

}  // namespace detail

/// An LSTM in a file: the tensors of `torch.nn.LSTM` of one layer and one direction.
template <typename Scalar>
struct ModelFormat<LSTMCell<Scalar>> : detail::GatedFormat<LSTM<Scalar>, 4> {
  static constexpr const char* kind() { return "LSTM"; }
  static constexpr const char* spoken() { return "an LSTM"; }
};

/// A GRU in a file: the tensors of `torch.nn.GRU` of one layer and one direction.
template <typename Scalar>
struct ModelFormat<GRUCell<Scalar>> : detail::GatedFormat<GRU<Scalar>, 3> {
  static constexpr const char* kind() { return "GRU"; }
  static constexpr const char* spoken() { return "a GRU"; }
};

}  // namespace elegans
