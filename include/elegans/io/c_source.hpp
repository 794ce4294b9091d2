// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/cell/cfc/cell.hpp>
#include <elegans/cell/ltc/cell.hpp>
#include <elegans/cell/memory/cell.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/io/c_source/cfc.hpp>
#include <elegans/io/c_source/golden_steps.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/ltc.hpp>
#include <elegans/io/c_source/ltc_neurons.hpp>
#include <elegans/io/c_source/memory.hpp>
#include <elegans/io/c_source/program.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans {

/// Options of `c_source`.
struct CSourceOptions {
  std::string name = "model";            ///< with which all names in the files begin: a name of C
  std::string file_name = "model";       ///< of the two files, without .h and .c
  std::optional<double> elapsed_time{};  ///< of every step, above 0: folded into the constants; else a parameter
  bool self_test = false;                ///< adds a function that compares a few steps with known outputs
  std::string origin{};                  ///< where the model comes from, for the first comment
};

/// The text of two files of C.
struct CSource {
  std::string header;  ///< `file_name`.h
  std::string source;  ///< `file_name`.c
};

namespace detail {

// One overload per cell: writes the layer of a cell, and says what it is. A layer of a stack adds one.

template <int Units, int Outputs, int Inputs>
CLayer write_cell(CWriter& out, const LTCCell<double, Units, Outputs, Inputs>& cell, const double* parameters,
                  const CStepOptions& step, const std::string& part) {
  return CLTCWriter(out, CNeurons(cell, parameters), step, part).write();
}

inline CLayer write_cell(CWriter& out, const CfCCell<double>& cell, const double* parameters, const CStepOptions& step,
                         const std::string& part) {
  return CCfCWriter(out, CBlocks(cell, parameters, step), step, part).write();
}

template <typename Inner>
CLayer write_cell(CWriter& out, const MemoryCell<Inner>& cell, const double* parameters, const CStepOptions& step,
                  const std::string& part) {
  // A memory's parameters begin with those of its inner cell.
  CLayer inner = write_cell(out, cell.inner(), parameters, step, part);
  const CLinearMaps gates = lstm_maps(cell.parameters(), parameters, inner.state, inner.inputs);
  return write_memory(out, gates, inner, step, part + "_memory");
}

}  // namespace detail

/// Turns a model into C for a microcontroller: C99 and C++11, freestanding, without a heap and without libc.
///
///     auto model = elegans::load_model<double>("model.safetensors");
///     elegans::CSource c = std::visit([](const auto& m) { return elegans::c_source(m, {.name = "motor"}); }, model);
///
/// The weights are constants. What does not change from step to step is in them already: softplus, epsilon, the input
/// mapping, masks, the scale of the exponential, and a fixed elapsed time. The same model gives the same bytes.
///
/// \param model  a model in double
/// \throws InvalidArgument if an option is out of its range, or if a value does not fit the arithmetic
template <typename Model>
CSource c_source(const Model& model, const CSourceOptions& options = {}) {
  static_assert(std::is_same_v<typename Model::Scalar, double>, "load_model<double> gives a model to export");
  if (options.elapsed_time && (!detail::is_finite(*options.elapsed_time) || *options.elapsed_time <= 0)) {
    detail::refuse("c_source: elapsed_time must be above 0 and finite, got ", *options.elapsed_time);
  }
  const detail::CStepOptions step{options.elapsed_time};
  detail::CProgram program(options.name, options.file_name, options.origin, step);
  program.add(write_cell(program.writer(), model.cell(), model.parameters().data(), step, "layer"));
  if (options.self_test) program.add_self_test(detail::golden_steps(model, options.elapsed_time));
  return {program.header(), program.source()};
}

}  // namespace elegans
