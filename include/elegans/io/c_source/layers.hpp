// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include <elegans/cell/cfc/cell.hpp>
#include <elegans/cell/ltc/cell.hpp>
#include <elegans/cell/memory/cell.hpp>
#include <elegans/core/error.hpp>
#include <elegans/io/c_source/cfc.hpp>
#include <elegans/io/c_source/fixed/cfc.hpp>
#include <elegans/io/c_source/fixed/dense.hpp>
#include <elegans/io/c_source/fixed/format.hpp>
#include <elegans/io/c_source/fixed/ltc.hpp>
#include <elegans/io/c_source/gated.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/ltc.hpp>
#include <elegans/io/c_source/ltc_neurons.hpp>
#include <elegans/io/c_source/memory.hpp>
#include <elegans/io/c_source/memoryless.hpp>
#include <elegans/io/c_source/writer.hpp>
#include <elegans/layer/dropout.hpp>
#include <elegans/layer/summary.hpp>

namespace elegans::detail {

// One overload per cell: writes the layer of a cell, and says what it is.

template <int Units, int Outputs, int Inputs>
CLayer write_cell(CWriter& out, const LTCCell<double, Units, Outputs, Inputs>& cell, const double* parameters,
                  const CStepOptions& step, const std::string& part) {
  return CLTCWriter(out, CNeurons(cell, parameters), step, part).write();
}
template <int Units, int Outputs, int Inputs>
CFixedLayer write_cell(CWriter& out, const LTCCell<double, Units, Outputs, Inputs>& cell, const double* parameters,
                       const CFixedPoint& fixed, const std::string& part) {
  return CFixedLTCWriter(out, CNeurons(cell, parameters), fixed, part).write();
}

inline CLayer write_cell(CWriter& out, const CfCCell<double>& cell, const double* parameters, const CStepOptions& step,
                         const std::string& part) {
  return CCfCWriter(out, CBlocks(cell, parameters, step), step, part).write();
}
inline CFixedLayer write_cell(CWriter& out, const CfCCell<double>& cell, const double* parameters,
                              const CFixedPoint& fixed, const std::string& part) {
  CFixedCfCWriter writer(out, CBlocks(cell, parameters, {fixed.elapsed_time}), fixed, part);
  CFixedLayer layer = writer.write();
  if (fixed.is_small()) {
    layer.rounded.assign(parameters, parameters + cell.parameters().count());
    writer.rounded().copy_weights(cell, layer.rounded.data());
  }
  return layer;
}

template <typename Inner>
CLayer write_cell(CWriter& out, const MemoryCell<Inner>& cell, const double* parameters, const CStepOptions& step,
                  const std::string& part) {
  // A memory's parameters begin with those of its inner cell.
  CLayer inner = write_cell(out, cell.inner(), parameters, step.not_alone(), part);
  const CLinearMaps gates = lstm_maps(cell.parameters(), parameters, inner.state, inner.inputs);
  return write_memory(out, gates, inner, step, part + "_memory");
}
template <typename Inner>
CFixedLayer write_cell(CWriter&, const MemoryCell<Inner>&, const double*, const CFixedPoint& fixed,
                       const std::string&) {
  refuse("export to C: a mixed memory needs float, not ", fixed.spoken(), ": its states have no bound");
}

/// A model that is made of layers.
template <typename Model>
concept CStack = requires(const Model& model) { model.for_each_layer([](const std::string&, const auto&) {}); };

/// Calls body(layer, part, is_alone) for each layer of a model, those of its stacks among them. A `Dropout` does
/// nothing in a step.
/// \param part  with which the names in C begin
template <typename Model, typename Body>
void for_each_c_layer(const Model& model, const std::string& part, const Body& body, bool is_alone = true) {
  if constexpr (CStack<Model>) {
    int k = 0;
    model.for_each_layer([&](const std::string&, const auto& layer) {
      for_each_c_layer(layer, concatenate(part, "_", k++), body, false);
    });
  } else if constexpr (requires { model.visit([](const auto&) {}); }) {
    model.visit([&](const auto& own) { for_each_c_layer(own, part, body, is_alone); });
  } else if constexpr (!std::is_same_v<Model, Dropout<double>>) {
    body(model, part, is_alone);
  }
}

/// The layers that `write` writes of a model. \throws InvalidArgument if one reads later steps, or if none computes
/// anything
/// \param write  (layer, part, is_alone, layers before it) -> `Layer`
template <typename Layer, typename Model, typename Write>
std::vector<Layer> written_layers(const Model& model, const Write& write) {
  const std::string acausal = acausal_layer_of(model);
  if (!acausal.empty()) {
    refuse("export to C: ", acausal, " reads later steps, which a stream does not have yet");
  }
  std::vector<Layer> layers;
  for_each_c_layer(model, "layer", [&](const auto& own, const std::string& part, bool is_alone) {
    layers.push_back(write(own, part, is_alone, layers));
  });
  if (layers.empty()) refuse("export to C: no layer of the stack computes anything");
  return layers;
}

/// A model's layers in float.
template <typename Model>
std::vector<CLayer> written_float_layers(CWriter& out, const Model& model, const CStepOptions& step) {
  return written_layers<CLayer>(
      model, [&]<typename Own>(const Own& own, const std::string& part, bool is_alone, const std::vector<CLayer>&) {
        if constexpr (requires { own.cell(); }) {
          return write_cell(out, own.cell(), own.parameters().data(), is_alone ? step : step.not_alone(), part);
        } else {
          return write_layer(out, own, part);
        }
      });
}

/// A model's layers in whole numbers. Each reads the numbers that the one before it writes.
template <typename Model>
std::vector<CFixedLayer> written_fixed_layers(CWriter& out, const Model& model, const CFixedPoint& fixed) {
  return written_layers<CFixedLayer>(model, [&]<typename Own>(const Own& own, const std::string& part, bool is_alone,
                                                              const std::vector<CFixedLayer>& before) {
    if (fixed.is_small() && !is_alone) refuse("export to C: int8 is for a CfC alone; a stack needs float, q31 or q15");
    const CFixedPoint format = before.empty() ? fixed : fixed.with_input_bits(before.back().output_bits);
    if constexpr (requires { write_cell(out, own.cell(), nullptr, format, part); }) {
      return write_cell(out, own.cell(), own.parameters().data(), format, part);
    } else if constexpr (requires { write_layer(out, own, format, part); }) {
      return write_layer(out, own, format, part);
    } else {
      refuse("export to C: the layer ", summary_rows_of(own).front().layer, " needs float, not ", fixed.spoken());
      return CFixedLayer{};
    }
  });
}

}  // namespace elegans::detail
