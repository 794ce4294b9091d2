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

#include <elegans/cell/cfc/parameters.hpp>
#include <elegans/cell/ltc/parameters.hpp>
#include <elegans/cell/memory/parameters.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/io/model_metadata.hpp>
#include <elegans/io/model_names.hpp>
#include <elegans/io/model_options.hpp>
#include <elegans/io/safetensors.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans {

/// What model a file holds: all that is needed to make it, but the values of its parameters.
struct ModelDescription {
  detail::ModelNames names;
  bool mixed_memory = false;
  bool has_metadata = false;  ///< elegans wrote the file; else options are given, or ncps' defaults
  int units = 0;
  int input_dim = 0;
  int output_dim = 0;
  LTCOptions ltc;                  ///< if it is an LTC
  CfCOptions cfc;                  ///< if it is a CfC
  std::optional<Wiring<>> wiring;  ///< none for a CfC without
  ParameterList<> parameters;

  [[nodiscard]] bool is_ltc() const noexcept { return names.is_ltc; }
  /// "LTC", "MixedLTC", "CfC" or "MixedCfC"
  [[nodiscard]] const char* kind() const noexcept {
    return is_ltc() ? mixed_memory ? "MixedLTC" : "LTC" : mixed_memory ? "MixedCfC" : "CfC";
  }
};

namespace detail {

/// Reads a model's description off the names and shapes of a file's tensors, and its masks.
class ModelReader {
 public:
  ModelReader(const SafeTensors& file, const ModelFileOptions& options)
      : file_(file), given_(options), metadata_(read_metadata(file)) {
    model_.names = find_model(file, options.prefix);
    model_.has_metadata = metadata_.is_object();
    model_.mixed_memory = find(model_.names.layer + "lstm.input_map.weight") != nullptr;
    if (model_.is_ltc()) {
      read_ltc();
    } else {
      read_cfc();
    }
    const auto kind = value<std::string>("model", model_.kind());
    if (kind != model_.kind()) {
      file.refuse("the tensors are those of a model of kind ", model_.kind(), ", the metadata says ", printable(kind));
    }
    if (model_.mixed_memory) add_lstm_parameters(model_.parameters, model_.units, model_.input_dim);
    for (const Parameter& entry : model_.parameters) {
      const Tensor& tensor = get(model_.names.in_file(entry.name), shape_in_file(entry));
      if (tensor.type >= TensorType::i64) {
        file.refuse(printable(tensor.name), ": a parameter must be F64, F32, F16 or BF16, got ",
                    elegans::detail::describe(tensor.type).name);
      }
    }
    refuse_others();
  }

  [[nodiscard]] ModelDescription take() && { return std::move(model_); }

 private:
  using Shape = std::vector<std::uint64_t>;

  /// A tensor of the model; null if there is none of that name.
  const Tensor* find(const std::string& name) {
    const Tensor* const tensor = file_.find(name);
    if (tensor) known_.insert(tensor->name);
    return tensor;
  }
  /// \throws InvalidArgument if there is none
  const Tensor& get(const std::string& name) {
    const Tensor* const tensor = find(name);
    if (!tensor) {
      file_.refuse("the tensor '", printable(name), "' is missing, which ", model_.is_ltc() ? "an LTC" : "a CfC",
                   model_.mixed_memory ? " with mixed memory" : "", " has");
    }
    return *tensor;
  }
  /// \throws InvalidArgument likewise, or if its shape is another
  const Tensor& get(const std::string& name, const Shape& shape) {
    const Tensor& tensor = get(name);
    if (tensor.shape != shape) {
      file_.refuse(printable(name), ": the shape must be ", shape_text(shape), ", got ", shape_text(tensor.shape));
    }
    return tensor;
  }
  /// One of the sizes of a tensor that others are measured by.
  int size_of(const Tensor& tensor, std::size_t rank, std::size_t dimension) const {
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

  /// Calls exists(row, column) for each 1 of a mask. \throws InvalidArgument if there is anything else than 0 and 1
  template <typename Exists>
  void read_mask(const Tensor& mask, Exists&& exists) const {
    const std::size_t columns = mask.shape[1];
    with_values(mask.type, mask.bytes, [&](auto&& value_at) {
      for (std::size_t i = 0; i < mask.size(); ++i) {
        const auto value = value_at(i);
        if (value != 0 && value != 1) {
          file_.refuse(printable(mask.name), ": a mask must have values 0 and 1, got ", static_cast<double>(value),
                       " in row ", i / columns, ", column ", i % columns);
        }
        if (value != 0) exists(static_cast<int>(i / columns), static_cast<int>(i % columns));
      }
    });
  }

  /// Adds the synapses of a mask, with the polarities of the metadata, or else the signs of erev.
  template <typename Add>
  void add_synapses(const char* mask_name, const char* erev_name, const char* polarity_key, int sources, Add&& add) {
    const Shape shape{static_cast<std::uint64_t>(sources), static_cast<std::uint64_t>(model_.units)};
    const Tensor& mask = get(model_.names.cell + mask_name, shape);
    const Tensor& erev = get(model_.names.cell + erev_name, shape);
    const auto polarity = value<std::string>(polarity_key, "");
    std::size_t count = 0;
    with_values(erev.type, erev.bytes, [&](auto&& erev_at) {
      read_mask(mask, [&](int source, int destination) {
        const bool negative =
            polarity.empty()
                ? erev_at(static_cast<std::size_t>(source) * shape[1] + static_cast<std::size_t>(destination)) < 0
                : count < polarity.size() && polarity[count] == '-';
        ++count;
        add(source, destination, negative ? -1 : 1);
      });
    });
    if (!polarity.empty() && polarity.size() != count) {
      file_.refuse("__metadata__: ", polarity_key, " has ", polarity.size(), " signs, ", mask_name, " has ", count,
                   " synapses");
    }
  }

  void read_ltc();
  void read_cfc();
  void read_backbone();
  void read_cfc_wiring();
  /// Refuses tensors that are not part of the model.
  void refuse_others() const;

  template <typename Value>
  Value value(const char* key, const Value& otherwise) const {
    return metadata_value<Value>(file_, metadata_, key, otherwise);
  }

  const SafeTensors& file_;
  const ModelFileOptions& given_;
  nlohmann::json metadata_;
  ModelDescription model_;
  std::unordered_set<std::string_view> known_;
};

inline void ModelReader::read_ltc() {
  const std::string& cell = model_.names.cell;
  LTCOptions& options = model_.ltc;
  options.ode_unfolds = given_.ode_unfolds.value_or(value("ode_unfolds", 6));
  options.epsilon = given_.epsilon.value_or(value("epsilon", 1e-8));
  options.implicit_param_constraints =
      given_.implicit_param_constraints.value_or(value("implicit_param_constraints", true));
  options.solver = choose(file_, metadata_, "solver", solver_names, given_.solver, ODESolver::semi_implicit);
  options.return_sequences = given_.return_sequences.value_or(value("return_sequences", true));
  const auto mapping = [&](const std::string& w, const std::string& b) {
    if (!find(cell + w)) return Mapping::none;
    return find(cell + b) ? Mapping::affine : Mapping::linear;
  };
  options.input_mapping = mapping("input_w", "input_b");
  options.output_mapping = mapping("output_w", "output_b");

  model_.units = size_of(get(cell + "gleak"), 1, 0);
  model_.input_dim = size_of(get(cell + "sensory_w"), 2, 0);
  if (options.output_mapping == Mapping::none) {
    model_.output_dim = given_.output_dim.value_or(value("output_dim", model_.units));
  } else {
    model_.output_dim = size_of(get(cell + "output_w"), 1, 0);
    if (given_.output_dim.value_or(model_.output_dim) != model_.output_dim) {
      file_.refuse("the model has ", model_.output_dim, " outputs, as ", printable(cell + "output_w"),
                   " says, and cannot have ", *given_.output_dim);
    }
  }
  // Before anything is made of these sizes, the largest tensor must have them.
  get(cell + "w", {static_cast<std::uint64_t>(model_.units), static_cast<std::uint64_t>(model_.units)});
  Wiring<> wiring(model_.units, model_.output_dim);
  wiring.build(model_.input_dim);
  add_synapses("sparsity_mask", "erev", "polarity", model_.units,
               [&](int s, int d, int polarity) { wiring.add_synapse(s, d, polarity); });
  add_synapses("sensory_sparsity_mask", "sensory_erev", "sensory_polarity", model_.input_dim,
               [&](int s, int d, int polarity) { wiring.add_sensory_synapse(s, d, polarity); });
  read_neurons(file_, metadata_, wiring);
  model_.wiring = std::move(wiring);
  for (const Parameter& entry : ltc_parameters(model_.units, model_.output_dim, model_.input_dim, options)) {
    model_.parameters.add(entry.name, entry.rows, entry.columns);
  }
}

inline void ModelReader::read_cfc() {
  CfCOptions& options = model_.cfc;
  const std::string block = model_.names.cell + (model_.names.is_wired_cfc ? "layer_0." : "");
  const bool is_pure = find(block + "w_tau") != nullptr;
  options.mode = choose(file_, metadata_, "mode", mode_names, given_.mode, is_pure ? CfCMode::pure : CfCMode::standard);
  if ((options.mode == CfCMode::pure) != is_pure) {
    file_.refuse("mode cannot be ", name_in(mode_names, options.mode), ": the file has ", is_pure ? "a" : "no",
                 " tensor ", printable(block), "w_tau");
  }
  options.activation =
      choose(file_, metadata_, "activation", activation_names, given_.activation, Activation::lecun_tanh);
  options.return_sequences = given_.return_sequences.value_or(value("return_sequences", true));
  options.backbone_layers = 0;
  options.backbone_units = 1;
  if (model_.names.is_wired_cfc) {
    read_cfc_wiring();
  } else {
    read_backbone();
  }
  if (const Tensor* const projection = find(model_.names.layer + "fc.weight")) {
    options.proj_size = size_of(*projection, 2, 0);
    model_.output_dim = options.proj_size;
  }
  if (given_.output_dim.value_or(model_.output_dim) != model_.output_dim) {
    file_.refuse("a CfC of these tensors has ", model_.output_dim, " outputs, and cannot have ", *given_.output_dim);
  }
  const auto layout = model_.wiring ? cfc_layout(*model_.wiring) : cfc_layout(model_.units, model_.input_dim, options);
  model_.parameters = cfc_parameters(layout, options);
}

/// A CfC without a wiring: how many layers its backbone has, and whether there is a dropout behind each.
inline void ModelReader::read_backbone() {
  CfCOptions& options = model_.cfc;
  const std::string& cell = model_.names.cell;
  const Tensor& head = get(cell + "ff1.weight");
  model_.units = model_.output_dim = size_of(head, 2, 0);
  int features = size_of(head, 2, 1);
  options.backbone_dropout = value("backbone_dropout", 0.0);
  if (const Tensor* const first = find(cell + "backbone.0.weight")) {
    options.backbone_units = features;
    features = size_of(*first, 2, 1);
    options.backbone_layers = 1;
    const auto has = [&](int module) { return find(concatenate(cell, "backbone.", module, ".weight")) != nullptr; };
    if (has(2)) {
      options.backbone_layers = 2;
      // With two layers, none is numbered after a dropout; with more, PyTorch's numbers tell.
      const bool drops = has(5);
      if (drops && !(options.backbone_dropout > 0)) options.backbone_dropout = 0.1;
      if (!drops && has(4)) options.backbone_dropout = 0;
      for (int module = drops ? 5 : 4; has(module); module += drops ? 3 : 2) ++options.backbone_layers;
    }
  }
  model_.input_dim = features - model_.units;
  if (model_.input_dim < 1) {
    file_.refuse(printable(cell), options.backbone_layers ? "backbone.0.weight" : "ff1.weight",
                 ": must take inputs and the ", model_.units, " units, got ", features, " columns");
  }
}

/// A wired CfC: sizes and masks of its layers, and a wiring that has them.
inline void ModelReader::read_cfc_wiring() {
  struct Layer {
    int inputs, units, first;
    const Tensor* mask;
  };
  std::vector<Layer> layers;
  int units = 0;
  for (;;) {
    const std::string block = concatenate(model_.names.cell, "layer_", layers.size(), ".");
    const Tensor* const head = find(block + "ff1.weight");
    if (!head) break;
    // The wiring's matrix grows with the square of their number, the file does not.
    if (layers.size() == 64) file_.refuse("a wired CfC must have at most 64 layers");
    const int own = size_of(*head, 2, 0);
    const int inputs = size_of(*head, 2, 1) - own;
    if (inputs < 1 || (!layers.empty() && inputs != layers.back().units)) {
      file_.refuse(printable(head->name), ": must take ", layers.empty() ? "inputs" : "the layer before it",
                   " and its own ", own, " units, got ", head->shape[1], " columns");
    }
    layers.push_back({inputs, own, 0, &get(block + "sparsity_mask", head->shape)});
    if (own > 46340 - units) file_.refuse("a wired CfC must have at most 46340 units");
    units += own;
  }
  // Numbers as in an NCP: the last layer's neurons, the motor neurons, first.
  int first = 0;
  for (std::size_t l = layers.size(); l-- > 0; first += layers[l].units) layers[l].first = first;
  model_.units = units;
  model_.input_dim = layers.front().inputs;
  model_.output_dim = layers.back().units;
  Wiring<> wiring(units, model_.output_dim);
  wiring.build(model_.input_dim);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const Layer& layer = layers[l];
    std::size_t recurrent = 0;
    read_mask(*layer.mask, [&](int neuron, int source) {
      if (source >= layer.inputs) {
        ++recurrent;
      } else if (l == 0) {
        wiring.add_sensory_synapse(source, layer.first + neuron, 1);
      } else {
        wiring.add_synapse(layers[l - 1].first + source, layer.first + neuron, 1);
      }
    });
    if (recurrent != static_cast<std::size_t>(layer.units) * static_cast<std::size_t>(layer.units)) {
      file_.refuse(printable(layer.mask->name), ": must be 1 between a layer's own neurons, in the last ", layer.units,
                   " columns");
    }
    for (int i = 0; i < layer.units; ++i) {
      const bool is_motor = l + 1 == layers.size();
      wiring.assign_neuron(layer.first + i,
                           is_motor ? NeuronType::motor
                           : l == 0 ? NeuronType::inter
                                    : NeuronType::command,
                           static_cast<int>(l));
    }
  }
  model_.wiring = std::move(wiring);
}

inline void ModelReader::refuse_others() const {
  const bool may_have_others = given_.prefix || model_.names.layer.starts_with("param.");
  for (const Tensor& tensor : file_.tensors()) {
    if (known_.contains(tensor.name)) continue;
    if (may_have_others && !tensor.name.starts_with(model_.names.layer)) continue;
    if (may_have_others && model_.names.layer.empty() && !tensor.name.starts_with(model_.names.cell)) continue;
    file_.refuse("the tensor '", printable(tensor.name), "' is no part of the ", model_.kind(),
                 " that the others make up");
  }
}

}  // namespace detail

/// Says what model a file holds.
/// \throws InvalidArgument if it holds none, more than one, or more than that; the message names file, tensor and cause
inline ModelDescription describe_model(const SafeTensors& file, const ModelFileOptions& options = {}) {
  try {
    return detail::ModelReader(file, options).take();
  } catch (const InvalidArgument& error) {
    // What a wiring refuses, it does not know the file of.
    const std::string_view message = error.what();
    if (message.starts_with(file.name())) throw;
    file.refuse(message);
  }
}

}  // namespace elegans
