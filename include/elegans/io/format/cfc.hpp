// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <elegans/cell/cfc/cell.hpp>
#include <elegans/cell/cfc/options.hpp>
#include <elegans/cell/cfc/parameters.hpp>
#include <elegans/core/activation.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/io/format/model_format.hpp>
#include <elegans/io/format/model_names.hpp>
#include <elegans/io/format/model_tensors.hpp>
#include <elegans/io/model_options.hpp>
#include <elegans/io/safetensors.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/mixed.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

namespace detail {

/// Reads the sizes of a CfC without a wiring: the depth of its backbone, and whether there is a dropout in it.
inline void read_backbone(ModelTensors& tensors, ModelOutline& outline, CfCOptions& options) {
  const std::string& cell = tensors.names.cell;
  const Tensor& head = tensors.get(cell + "ff1.weight");
  outline.units = outline.output_dim = tensors.size_of(head, 2, 0);
  int features = tensors.size_of(head, 2, 1);
  options.backbone_dropout = tensors.value("backbone_dropout", 0.0);
  options.dropout_behind_first_layer = tensors.value("dropout_behind_first_layer", false);
  if (const Tensor* const first = tensors.find(cell + "backbone.0.weight")) {
    options.backbone_units = features;
    features = tensors.size_of(*first, 2, 1);
    options.backbone_layers = 1;
    const auto has = [&](int module) {
      return tensors.find(concatenate(cell, "backbone.", module, ".weight")) != nullptr;
    };
    if (has(2)) {
      options.backbone_layers = 2;
      // PyTorch numbers the dropouts too. The numbers tell whether there are any from the third layer on: ncps puts the
      // first dropout behind the second layer.
      const bool has_dropout = has(5);
      if (has_dropout && options.backbone_dropout <= 0) options.backbone_dropout = 0.1;
      if (!has_dropout && has(4)) options.backbone_dropout = 0;
      for (int module = has_dropout ? 5 : 4; has(module); module += has_dropout ? 3 : 2) ++options.backbone_layers;
    }
  }
  outline.input_dim = features - outline.units;
  if (outline.input_dim < 1) {
    tensors.file().refuse(printable(cell), options.backbone_layers ? "backbone.0.weight" : "ff1.weight",
                          ": must take inputs and the ", outline.units, " units, got ", features, " columns");
  }
}

/// Reads the sizes and masks of a wired CfC, and makes a wiring that has them.
inline void read_cfc_wiring(ModelTensors& tensors, ModelOutline& outline) {
  struct Layer {
    int inputs, units, first;
    const Tensor* mask;
  };
  const SafeTensors& file = tensors.file();
  std::vector<Layer> layers;
  int units = 0;
  for (;;) {
    const std::string block = concatenate(tensors.names.cell, "layer_", layers.size(), ".");
    const Tensor* const head = tensors.find(block + "ff1.weight");
    if (!head) break;
    // The wiring's matrix grows with the square of the number of units, the file does not.
    if (layers.size() == 64) file.refuse("a wired CfC must have at most 64 layers");
    const int own = tensors.size_of(*head, 2, 0);
    const int inputs = tensors.size_of(*head, 2, 1) - own;
    if (inputs < 1 || (!layers.empty() && inputs != layers.back().units)) {
      file.refuse(printable(head->name), ": must take ", layers.empty() ? "inputs" : "the layer before it",
                  " and its own ", own, " units, got ", head->shape[1], " columns");
    }
    layers.push_back({inputs, own, 0, &tensors.get(block + "sparsity_mask", head->shape)});
    if (own > 46340 - units) file.refuse("a wired CfC must have at most 46340 units");
    units += own;
  }
  // Neurons have numbers as in an NCP: those of the last layer, the motor neurons, come first.
  int first = 0;
  for (std::size_t l = layers.size(); l-- > 0; first += layers[l].units) layers[l].first = first;
  outline.units = units;
  outline.input_dim = layers.front().inputs;
  outline.output_dim = layers.back().units;
  Wiring<> wiring(units, outline.output_dim);
  wiring.build(outline.input_dim);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const Layer& layer = layers[l];
    std::size_t recurrent = 0;
    tensors.read_mask(*layer.mask, [&](int neuron, int source) {
      if (source >= layer.inputs) {
        ++recurrent;
      } else if (l == 0) {
        wiring.add_sensory_synapse(source, layer.first + neuron, 1);
      } else {
        wiring.add_synapse(layers[l - 1].first + source, layer.first + neuron, 1);
      }
    });
    if (recurrent != static_cast<std::size_t>(layer.units) * static_cast<std::size_t>(layer.units)) {
      file.refuse(printable(layer.mask->name), ": must be 1 between a layer's own neurons, in the last ", layer.units,
                  " columns");
    }
    const NeuronType type = l + 1 == layers.size() ? NeuronType::motor
                            : l == 0               ? NeuronType::inter
                                                   : NeuronType::command;
    for (int i = 0; i < layer.units; ++i) wiring.assign_neuron(layer.first + i, type, static_cast<int>(l));
  }
  outline.wiring = std::move(wiring);
}

/// Reads a CfC's options, sizes and wiring.
inline CfCOptions read_cfc(ModelTensors& tensors, ModelOutline& outline) {
  const std::string& cell = tensors.names.cell;
  const ModelFileOptions& given = tensors.given;
  const SafeTensors& file = tensors.file();
  CfCOptions options;
  const bool is_wired = file.find(cell + "layer_0.ff1.weight") != nullptr;
  const std::string block = cell + (is_wired ? "layer_0." : "");
  const bool is_pure = tensors.find(block + "w_tau") != nullptr;
  options.mode = tensors.named_option("mode", mode_names, given.mode, is_pure ? CfCMode::pure : CfCMode::standard);
  if ((options.mode == CfCMode::pure) != is_pure) {
    file.refuse("mode cannot be ", name_in(mode_names, options.mode), ": the file has ", is_pure ? "a" : "no",
                " tensor ", printable(block), "w_tau");
  }
  options.activation = tensors.named_option("activation", activation_names, given.activation, Activation::lecun_tanh);
  options.head_activation = tensors.named_option("head_activation", head_activation_names, {}, Activation::tanh);
  options.return_sequences = given.return_sequences.value_or(tensors.value("return_sequences", true));
  options.backbone_layers = 0;
  options.backbone_units = 1;
  if (is_wired) {
    read_cfc_wiring(tensors, outline);
  } else {
    read_backbone(tensors, outline, options);
  }
  if (const Tensor* const projection = tensors.find(tensors.names.layer + "fc.weight")) {
    options.proj_size = tensors.size_of(*projection, 2, 0);
    outline.output_dim = options.proj_size;
  }
  const auto outputs = given.output_dim.value_or(outline.output_dim);
  if (outputs != outline.output_dim) {
    file.refuse("a CfC of these tensors has ", outline.output_dim, " outputs, and cannot have ", outputs);
  }
  const auto layout =
      outline.wiring ? cfc_layout(*outline.wiring) : cfc_layout(outline.units, outline.input_dim, options);
  outline.parameters = cfc_parameters(layout, options);
  return options;
}

}  // namespace detail

/// A CfC in a file: the tensors and masks of `ncps.torch.CfC`, with a wiring or without.
template <typename Scalar, CfCSizes Sizes>
struct ModelFormat<CfCCell<Scalar, Sizes>> {
  using Model = CfC<Scalar>;
  using ModelWithMemory = MixedCfC<Scalar>;
  using Options = CfCOptions;
  using MaskScalar = float;  // as in ncps, whatever the type of the parameters
  static constexpr const char* mark = "ff1.weight";

  static constexpr const char* kind() { return "CfC"; }
  static constexpr const char* spoken() { return "a CfC"; }

  /// A wired CfC has a mark in each of its layers; its layer 0 stands for all of them.
  static std::optional<detail::ModelNames> recognize(const SafeTensors&, std::string_view tensor) {
    if (!detail::remove_last_part(tensor, mark)) return std::nullopt;
    if (!detail::remove_last_part(tensor, "layer_0.") && !tensor.empty()) {
      const std::string_view parent = tensor.substr(0, tensor.size() - 1);
      const std::string_view last = parent.substr(parent.rfind('.') + 1);
      if (last.starts_with("layer_") && last.find_first_not_of("0123456789", 6) == std::string_view::npos) {
        return std::nullopt;
      }
    }
    return with_layer_parts(detail::names_of_cell(tensor));
  }
  static detail::ModelNames names(const std::string& layer) { return with_layer_parts(detail::names_of_layer(layer)); }

  static bool is_vector(std::string_view parameter) { return parameter.ends_with("bias"); }

  static Options read(detail::ModelTensors& tensors, ModelOutline& outline) {
    return detail::read_cfc(tensors, outline);
  }
  template <typename Made = Model>
  static Made make(const ModelOutline& outline, const Options& options) {
    if (outline.wiring) return Made(*outline.wiring, outline.input_dim, options);
    return Made(outline.units, outline.input_dim, options);
  }

  template <typename Body>
  static void for_each_mask(const CfCCell<Scalar, Sizes>& cell, Body&& body) {
    for (const detail::CfCLayout& block : cell.layout()) {
      if (block.mask.size() == 0) continue;
      const unsigned char* const mask = block.mask.data();
      const Index units = block.units;
      body(block.prefix + "sparsity_mask", units, block.inputs + units,
           [mask, units](Index o, Index j) { return mask[o + units * j] != 0; });
    }
  }

  static void write_metadata(const CfCCell<Scalar, Sizes>& cell, nlohmann::json& all) {
    const CfCOptions& options = cell.options();
    all["mode"] = detail::name_in(detail::mode_names, options.mode);
    if (options.mode != CfCMode::pure) {
      all["head_activation"] = detail::name_in(detail::head_activation_names, options.head_activation);
    }
    // Options of the backbone mean nothing to a cell without one.
    if (cell.layout()[0].backbone_layers > 0) {
      all["activation"] = detail::name_in(detail::activation_names, options.activation);
      all["backbone_dropout"] = options.backbone_dropout;
      if (options.dropout_behind_first_layer) all["dropout_behind_first_layer"] = true;
    }
  }

 private:
  /// The projection belongs to the layer.
  static detail::ModelNames with_layer_parts(detail::ModelNames names) {
    names.layer_parts.emplace_back("fc.");
    return names;
  }
};

}  // namespace elegans
