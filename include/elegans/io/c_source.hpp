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
#include <elegans/io/c_source/arithmetic.hpp>
#include <elegans/io/c_source/cfc.hpp>
#include <elegans/io/c_source/fixed/cfc.hpp>
#include <elegans/io/c_source/fixed/format.hpp>
#include <elegans/io/c_source/fixed/ltc.hpp>
#include <elegans/io/c_source/fixed/step.hpp>
#include <elegans/io/c_source/float_step.hpp>
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
  CArithmetic arithmetic = CArithmetic::float32;  ///< all but float need `elapsed_time`
  double input_range = 1;                ///< without float: inputs are in [-input_range, input_range]
  CSigmoid sigmoid = CSigmoid::exact;    ///< in q15 and int8
  bool self_test = false;                ///< adds a function that compares a few steps with known outputs
  std::string origin{};                  ///< where the model comes from, for the first comment
};

/// The text of two files of C.
struct CSource {
  std::string header;  ///< `file_name`.h
  std::string source;  ///< `file_name`.c
};

namespace detail {

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
  return CFixedCfCWriter(out, CBlocks(cell, parameters, {fixed.elapsed_time}), fixed, part).write();
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

inline void check_options(const CSourceOptions& options) {
  if (options.elapsed_time && (!is_finite(*options.elapsed_time) || *options.elapsed_time <= 0)) {
    refuse("c_source: elapsed_time must be above 0 and finite, got ", *options.elapsed_time);
  }
  if (!is_finite(options.input_range) || options.input_range <= 0) {
    refuse("c_source: input_range must be above 0 and finite, got ", options.input_range);
  }
  if (options.arithmetic == CArithmetic::float32) {
    if (options.sigmoid == CSigmoid::table) refuse("c_source: float has no table of sigmoids; q15 and int8 have");
    return;
  }
  if (!options.elapsed_time) refuse("c_source: q31, q15 and int8 need a fixed elapsed_time");
  if (options.arithmetic == CArithmetic::q31 && options.sigmoid == CSigmoid::table) {
    refuse("c_source: a table of sigmoids is not exact enough for q31; q15 and int8 have one");
  }
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
  detail::check_options(options);
  detail::CWriter layers(options.name);
  const auto written = [&](auto steps, double input_range) {
    std::optional<detail::GoldenSteps> golden;
    if (options.self_test) golden = detail::golden_steps(model, options.elapsed_time, input_range);
    const detail::CProgram program(layers, std::move(steps), options.file_name, options.origin, options.elapsed_time,
                                   std::move(golden));
    return CSource{program.header(), program.source()};
  };
  const double* const parameters = model.parameters().data();
  if (options.arithmetic == CArithmetic::float32) {
    const detail::CStepOptions step{options.elapsed_time, true};
    return written(detail::CFloatStep({write_cell(layers, model.cell(), parameters, step, "layer")}, step), 1);
  }
  const detail::CFixedPoint fixed{options.arithmetic, options.sigmoid, options.input_range, *options.elapsed_time};
  return written(detail::CFixedStep(fixed, write_cell(layers, model.cell(), parameters, fixed, "layer")),
                 fixed.input_bound() / 2);
}

}  // namespace elegans
