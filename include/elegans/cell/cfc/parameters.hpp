// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <elegans/cell/cfc/options.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/initial_values.hpp>
#include <elegans/core/initializers.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/torch_random.hpp>
#include <elegans/core/types.hpp>
#include <elegans/wiring/wiring.hpp>

namespace elegans::detail {

/// The shape of one block of a CfC: a set of neurons that step together.
struct CfCLayout {
  std::string prefix;  ///< of the names of its tensors
  Index inputs = 0;
  Index units = 0;
  int backbone_layers = 0;
  Buffer<unsigned char> mask;  ///< of ff1 and ff2, (units, inputs + units), column-major; empty if there is none
};

/// The one block of a CfC without a wiring. \tparam Blocks  the number of blocks if a type fixes it, or Dynamic
template <int Blocks = Dynamic>
Buffer<CfCLayout, Blocks> cfc_layout(Index units, Index inputs, const CfCOptions& options) {
  Buffer<CfCLayout, Blocks> blocks(1);
  blocks[0] = {"", inputs, units, options.backbone_layers, {}};
  return blocks;
}

// mutate all: cfc.layout
/// One block per layer of the wiring, the first layer first. Each block reads the outputs of the one before it, and
/// each of its neurons feeds all neurons of the block. As in ncps, synapses that skip a layer or go back do not count.
///
/// \throws InvalidArgument if a layer has no neurons, or if the last layer's are not the motor neurons, which are the
///         outputs
template <int Blocks = Dynamic, AnyWiring W>
Buffer<CfCLayout, Blocks> cfc_layout(const W& wiring) {
  if (Blocks != Dynamic && wiring.num_layers() != Blocks) {
    refuse("CfC: the wiring must have ", Blocks, " layers, the blocks of the type, got ", wiring.num_layers());
  }
  Buffer<CfCLayout, Blocks> blocks(wiring.num_layers());
  std::vector<int> before;
  for (int layer = 0; layer < wiring.num_layers(); ++layer) {
    const std::vector<int> neurons = wiring.neurons_of_layer(layer);
    if (neurons.empty()) refuse("CfC: layer ", layer, " of the wiring has no neurons");
    const auto units = static_cast<Index>(neurons.size());
    const Index inputs = layer == 0 ? wiring.input_dim() : static_cast<Index>(before.size());
    CfCLayout block{concatenate("layer_", layer, "."), inputs, units, 0, {}};
    block.mask.resize(units * (inputs + units));
    for (Index j = 0; j < inputs + units; ++j) {
      for (Index o = 0; o < units; ++o) {
        const int neuron = neurons[static_cast<std::size_t>(o)];
        int exists = 1;
        if (j < inputs && layer == 0) exists = wiring.sensory_adjacency_matrix()(j, neuron);
        if (j < inputs && layer > 0) exists = wiring.adjacency_matrix()(before[static_cast<std::size_t>(j)], neuron);
        block.mask[o + units * j] = exists != 0;
      }
    }
    blocks[layer] = std::move(block);
    before = neurons;
  }
  // Now `before` is the last layer. Motor neurons have the lowest numbers, and the numbers within a layer rise.
  const auto motor = static_cast<std::size_t>(wiring.output_dim());
  if (before.size() != motor || before.back() + 1 != wiring.output_dim()) {
    refuse("CfC: the last layer of a wiring must be its ", motor, " motor neurons, and they alone; it has ",
           before.size(), " neurons, up to number ", before.back());
  }
  return blocks;
}

/// ncps' name of a layer of the backbone. PyTorch numbers the activations and dropouts too.
inline std::string backbone_name(const CfCLayout& block, int layer, const CfCOptions& options) {
  const int modules_per_layer = options.backbone_dropout > 0 ? 3 : 2;
  const int module = layer == 0 ? 0 : 2 + (layer - 1) * modules_per_layer;
  return concatenate(block.prefix, "backbone.", module);
}

/// Calls visit(name) for each linear map of a block: first the backbone, then the heads.
template <typename Visit>
void for_each_linear(const CfCLayout& block, const CfCOptions& options, Visit visit) {
  for (int layer = 0; layer < block.backbone_layers; ++layer) visit(backbone_name(block, layer, options));
  visit(block.prefix + "ff1");
  if (options.mode == CfCMode::pure) return;
  for (const char* head : {"ff2", "time_a", "time_b"}) visit(block.prefix + head);
}

/// ncps' tensors, in the order of its constructors. \tparam Tensors  room for so many, or Dynamic
template <int Tensors = Dynamic, int Blocks>
ParameterList<Tensors> cfc_parameters(const Buffer<CfCLayout, Blocks>& blocks, const CfCOptions& options) {
  ParameterList<Tensors> list;
  const auto add_linear = [&](const std::string& name, Index outputs, Index inputs) {
    list.add(name + ".weight", static_cast<int>(outputs), static_cast<int>(inputs));
    list.add(name + ".bias", static_cast<int>(outputs), 1);
  };
  for (const CfCLayout& block : blocks) {
    Index features = block.inputs + block.units;
    if (options.mode == CfCMode::pure) {
      list.add(block.prefix + "w_tau", 1, static_cast<int>(block.units));
      list.add(block.prefix + "A", 1, static_cast<int>(block.units));
    }
    int layer = 0;
    for_each_linear(block, options, [&](const std::string& name) {
      const bool is_head = layer++ >= block.backbone_layers;
      add_linear(name, is_head ? block.units : options.backbone_units, features);
      if (!is_head) features = options.backbone_units;
    });
  }
  if (options.proj_size > 0) add_linear("fc", options.proj_size, blocks[blocks.size() - 1].units);
  return list;
}

/// Offsets of the two tensors of a linear map, in a parameter vector and its gradient.
struct LinearOffsets {
  Index weight = -1;
  Index bias = -1;

  LinearOffsets() = default;
  template <int Capacity>
  LinearOffsets(const ParameterList<Capacity>& list, const std::string& name)
      : weight(list.at(name + ".weight").offset), bias(list.at(name + ".bias").offset) {}
};

/// Offsets of the tensors of a block. They are -1 for a tensor that its mode does not have.
/// \tparam Layers  of the backbone, or Dynamic
template <int Layers = Dynamic>
struct CfCOffsets {
  Buffer<LinearOffsets, Layers> backbone;
  LinearOffsets ff1, ff2, time_a, time_b;
  Index w_tau = -1;
  Index A = -1;

  CfCOffsets() = default;
  template <int Capacity>
  CfCOffsets(const ParameterList<Capacity>& list, const CfCLayout& block, const CfCOptions& options)
      : backbone(block.backbone_layers), ff1(list, block.prefix + "ff1") {
    for (int layer = 0; layer < block.backbone_layers; ++layer) {
      backbone[layer] = {list, backbone_name(block, layer, options)};
    }
    if (options.mode == CfCMode::pure) {
      w_tau = list.at(block.prefix + "w_tau").offset;
      A = list.at(block.prefix + "A").offset;
    } else {
      ff2 = {list, block.prefix + "ff2"};
      time_a = {list, block.prefix + "time_a"};
      time_b = {list, block.prefix + "time_b"};
    }
  }
};

/// Sets initial values. By default, they are those of `torch.manual_seed(seed)` followed by ncps' `CfC(...)`: each
/// block draws PyTorch's linear maps first, and then all of its matrices again, w_tau and A among them. Keras' differ
/// in the biases, which are 0, and in the projection.
template <int Tensors, int Blocks, typename Scalar>
void initialize_cfc(const ParameterList<Tensors>& list, const Buffer<CfCLayout, Blocks>& blocks,
                    const CfCOptions& options, TorchRandom& random, Scalar* parameters) {
  for (const CfCLayout& block : blocks) {
    for_each_linear(block, options,
                    [&](const std::string& name) { initialize_linear(list, name, random, parameters); });
    if (options.mode == CfCMode::pure) {
      initialize_xavier(list.at(block.prefix + "w_tau"), random, parameters);
      initialize_xavier(list.at(block.prefix + "A"), random, parameters);
    }
    for_each_linear(block, options,
                    [&](const std::string& name) { initialize_xavier(list.at(name + ".weight"), random, parameters); });
  }
  if (options.proj_size > 0) initialize_linear(list, "fc", random, parameters);
  if (options.initial_values == InitialValues::torch) return;
  for (const Parameter& entry : list) {
    if (entry.name.ends_with("bias")) fill(entry, Scalar(0), parameters);
  }
  if (options.proj_size > 0) initialize_keras_linear(list, "fc", random, parameters);
}

}  // namespace elegans::detail
