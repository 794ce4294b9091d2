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

/// Writes a model's layers, one after the other, in float. A `Dropout` does nothing in a step.
/// \param part  with which the names in C begin
template <typename Model>
void write_layers(CWriter& out, const Model& model, const CStepOptions& step, const std::string& part,
                  std::vector<CLayer>& layers) {
  if constexpr (CStack<Model>) {
    int k = 0;
    model.for_each_layer([&](const std::string&, const auto& layer) {
      write_layers(out, layer, step.not_alone(), concatenate(part, "_", k++), layers);
    });
  } else if constexpr (requires { model.visit([](const auto&) {}); }) {
    model.visit([&](const auto& own) { write_layers(out, own, step, part, layers); });
  } else if constexpr (requires { model.cell(); }) {
    layers.push_back(write_cell(out, model.cell(), model.parameters().data(), step, part));
  } else if constexpr (!std::is_same_v<Model, Dropout<double>>) {
    layers.push_back(write_layer(out, model, part));
  }
}

/// A stack's layers in float. \throws InvalidArgument if one reads later steps, or if none computes anything
template <typename Model>
std::vector<CLayer> written_layers(CWriter& out, const Model& model, const CStepOptions& step) {
  const std::string acausal = acausal_layer_of(model);
  if (!acausal.empty()) {
    refuse("export to C: ", acausal, " reads later steps, which a stream does not have yet");
  }
  std::vector<CLayer> layers;
  write_layers(out, model, step, "layer", layers);
  if (layers.empty()) refuse("export to C: no layer of the stack computes anything");
  return layers;
}

}  // namespace elegans::detail
