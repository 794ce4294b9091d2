// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/io/c_source/arithmetic.hpp>
#include <elegans/io/c_source/fixed/format.hpp>
#include <elegans/io/c_source/fixed/step.hpp>
#include <elegans/io/c_source/float_step.hpp>
#include <elegans/io/c_source/golden_steps.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/layers.hpp>
#include <elegans/io/c_source/program.hpp>
#include <elegans/io/c_source/writer.hpp>
#include <elegans/layer/concepts.hpp>

namespace elegans {

/// Options of `c_source`.
struct CSourceOptions {
  std::string name = "model";            ///< with which all names in the files begin: a name of C
  std::string file_name = "model";       ///< of the two files, without .h and .c
  std::optional<double> elapsed_time{};  ///< of every step, above 0: folded into the constants; else a parameter
  CArithmetic arithmetic = CArithmetic::float32;  ///< all but float need `elapsed_time`
  double input_range = 1;                         ///< without float: inputs are in [-input_range, input_range]
  CSigmoid sigmoid = CSigmoid::exact;             ///< in q15 and int8
  /// Adds a function that compares a few steps with known outputs: of the model in double; in int8, of the model with
  /// the rounded weights of the C.
  bool self_test = false;
  std::string origin{};  ///< where the model comes from, for the first comment
};

/// The text of two files of C.
struct CSource {
  std::string header;  ///< `file_name`.h
  std::string source;  ///< `file_name`.c
};

namespace detail {

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
/// A stack of layers becomes one network, too (`Sequential`, `Stack`): in float, of any layers that step; in q31 and
/// q15 of LTCs, CfCs and dense layers.
///
/// \param model  a model in double
/// \throws InvalidArgument if an option is out of its range, if a value does not fit the arithmetic, or if a layer
/// reads
///         later steps
template <typename Model>
CSource c_source(const Model& model, const CSourceOptions& options = {}) {
  static_assert(std::is_same_v<typename Model::Scalar, double>, "load_model<double> gives a model to export");
  static_assert(CausalLayer<Model>, "elegans: a layer that reads later steps has no C, which takes step by step");
  detail::check_options(options);
  detail::CWriter layers(options.name);
  const auto written = [&](auto steps, double input_range, const Model& of) {
    std::optional<detail::GoldenSteps> golden;
    if (options.self_test) golden = detail::golden_steps(of, options.elapsed_time, input_range);
    const detail::CProgram program(layers, std::move(steps), options.file_name, options.origin, options.elapsed_time,
                                   std::move(golden));
    return CSource{program.header(), program.source()};
  };
  if (options.arithmetic == CArithmetic::float32) {
    const detail::CStepOptions step{options.elapsed_time, true};
    return written(detail::CFloatStep(detail::written_float_layers(layers, model, step), step), 1, model);
  }
  const detail::CFixedPoint fixed{options.arithmetic, options.sigmoid, options.input_range, *options.elapsed_time};
  std::vector<detail::CFixedLayer> written_layers = detail::written_fixed_layers(layers, model, fixed);
  Model rounded = model;
  if constexpr (requires { model.cell(); }) {
    const std::vector<double>& values = written_layers.front().rounded;
    if (!values.empty()) rounded.update([&](auto all) { std::copy(values.begin(), values.end(), all.data()); });
  }
  return written(detail::CFixedStep(fixed, std::move(written_layers)), fixed.input_bound() / 2, rounded);
}

}  // namespace elegans
