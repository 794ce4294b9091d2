// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/number_text.hpp>
#include <elegans/io/c_source/fixed/format.hpp>
#include <elegans/io/c_source/fixed/functions.hpp>
#include <elegans/io/c_source/golden_steps.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// What a network in whole numbers has around its layers: formats, steps of integers and of floats, and a self-test.
/// Each layer reads the outputs of the one before it.
class CFixedStep {
 public:
  CFixedStep(const CFixedPoint& fixed, std::vector<CFixedLayer> layers)
      : fixed_(fixed), fixed_layers_(std::move(layers)) {
    for (const CFixedLayer& layer : fixed_layers_) layers_.push_back(layer.layer);
  }

  [[nodiscard]] const std::vector<CLayer>& layers() const noexcept { return layers_; }
  [[nodiscard]] int state_bytes() const {
    int bytes = 0;
    for (const CFixedLayer& layer : fixed_layers_) bytes += layer.layer.state * bytes_of_state(layer);
    return bytes;
  }
  [[nodiscard]] int stack_bytes() const {
    int numbers = inputs(), deepest = 0;
    for (const CFixedLayer& layer : fixed_layers_) {
      deepest = (std::max)(deepest, static_cast<int>(layer.layer.stack_values) * bytes_of_state(layer));
      if (&layer != &fixed_layers_.back()) numbers += layer.layer.outputs;
    }
    return deepest + numbers * (fixed_.is_wide() ? 4 : 2);
  }

  /// Lines for the first comment.
  [[nodiscard]] std::string arithmetic() const {
    const auto largest = [&](int bits) { return number_text(std::ldexp(1.0, fixed_.number_bits() - bits), 6); };
    const auto unit = [](int bits) { return concatenate("2^", -bits); };
    std::string states;
    for (const CFixedLayer& layer : fixed_layers_) {
      if (layer.layer.state > 0) states += (states.empty() ? ";\n   a state counts " : ", ") + unit(layer.state_bits);
    }
    return concatenate(fixed_.spoken(), ", without float. An input counts ", unit(fixed_.input_bits()),
                       " and stays below ", largest(fixed_.input_bits()), ";\n   an output counts ",
                       unit(output_bits()), " and stays below ", largest(output_bits()), states,
                       ". Sigmoids: ", fixed_.sigmoid == CSigmoid::table ? "from a table." : "exact.");
  }

  [[nodiscard]] static const char* elapsed_argument() { return ""; }

  void declare(CWriter& out, const std::string& upper_name) const {
    out.code(R"(
/* An input or an output, as a whole number: the value times 2^$NAME$_INPUT_BITS, or times 2^$NAME$_OUTPUT_BITS. */
typedef $number$ @number;
#define $NAME$_INPUT_BITS $input_bits$
#define $NAME$_OUTPUT_BITS $output_bits$

#ifdef __cplusplus
extern "C" {
#endif

/* What a network remembers from step to step: one for each stream of inputs. */
typedef struct {
$states$} @state;

/* Starts a stream. */
void @reset(@state *state);

/* Takes one step without any float: reads x, changes the state, writes y.
   Returns 0; or 3 if the state is out of range, and keeps it. */
int @step_integer(@state *state, const @number x[$NAME$_INPUTS], @number y[$NAME$_OUTPUTS]);

#ifndef $NAME$_NO_FLOAT
/* The same with floats outside. An input beyond the range counts as its end.
   Returns 0; or what it refuses, while the state stays as it was:
     2  an input is infinite or NaN
     3  the state is out of range */
int @step(@state *state, const float x[$NAME$_INPUTS], float y[$NAME$_OUTPUTS]);
#endif
)",
             {{"NAME", upper_name},
              {"number", fixed_.number_type()},
              {"input_bits", CWriter::number(fixed_.input_bits())},
              {"output_bits", CWriter::number(output_bits())},
              {"states", has_state() ? each_state(out, "  $type$ $v$[$count$];\n") : "  char unused;\n"}});
  }

  /// Types and functions that the layer calls.
  void write_functions(CWriter& out, std::set<std::string> needs) const {
    const auto own = fixed_.is_wide() ? std::span<const CFunction>(c_functions_q31) : c_functions_q15;
    add_needs(needs, own);
    if (needs.contains("add_1") || needs.contains("add_3")) {
      out.code("\ntypedef $weight$ @weight;\ntypedef $total$ @total;\n",
               {{"weight", fixed_.map_type()}, {"total", fixed_.is_wide() ? "int64_t" : "int32_t"}});
    }
    if (needs.contains("gate_table")) {
      out.code("\n");
      out.table("uint16_t", "gates", gate_table(), 2);
    }
    for (const auto& list : {own, std::span<const CFunction>(c_functions_fixed)}) {
      for (const CFunction& function : list) {
        if (needs.contains(std::string(function.name))) out.code("\n" + std::string(function.text));
      }
    }
  }

  void write_steps(CWriter& out, const std::string& upper_name) const {
    out.code(
        R"(
void @reset(@state *state) {
$reset$}

int @step_integer(@state *state, const @number x[$inputs$], @number y[$outputs$]) {
$arrays$$checks$$steps$  return 0;
}

#ifndef $NAME$_NO_FLOAT
$magnitude$
int @step(@state *state, const float x[$inputs$], float y[$outputs$]) {
  @number input[$inputs$], output[$outputs$];
  int i, status;
  for (i = 0; i < $inputs$; ++i) {
    const float value = x[i] * $to_number$;
    if (@magnitude(x[i]) >= 0x7f800000u) return 2;
    input[i] = (@number)(value > $largest$ ? $largest$ : value < -$largest$ ? -$largest$
                         : value + (value < 0.0f ? -0.5f : 0.5f));
  }
  status = @step_integer(state, input, output);
  if (status) return status;
  for (i = 0; i < $outputs$; ++i) y[i] = (float)output[i] * $to_float$;
  return 0;
}
#endif
)",
        {{"NAME", upper_name},
         {"reset", !has_state() ? "  state->unused = 0;\n"
                                : each_state(out,
                                             "  volatile $type$ *$v$ = state->$v$;"
                                             " /* so that no compiler makes a call of memset of it */\n") +
                                      "  int i;\n" + each_state(out, "  for (i = 0; i < $count$; ++i) $v$[i] = 0;\n")},
         {"checks",
          !has_state() ? "  (void)state;\n" : "  int i;\n" + each_state(out, R"(  for (i = 0; i < $count$; ++i) {
    const int32_t v = state->$v$[i];
    if (v < $low$ || v > $high$) return 3;
  }
)")},
         {"arrays", arrays(out)},
         {"steps", steps(out)},
         {"magnitude", out.filled(std::string(text_of("float")) + "\n" + std::string(text_of("magnitude")), {})},
         {"inputs", CWriter::number(inputs())},
         {"outputs", CWriter::number(outputs())},
         {"to_number", float_literal(std::ldexp(1.0, fixed_.input_bits()))},
         {"to_float", float_literal(std::ldexp(1.0, -output_bits()))},
         // The largest number that a float has, too.
         {"largest", fixed_.is_wide() ? "2147483520.0f" : "32767.0f"}});
  }

  void write_self_test(CWriter& out, const GoldenSteps& golden, const std::string& upper_name) const {
    const auto table = [&](const char* name, const std::vector<double>& values, int bits) {
      std::vector<std::string> items;
      for (const double value : values) items.push_back(CWriter::number(fixed_.number(value, bits)));
      out.table("@number", name, items, 4);
    };
    double largest = 0.1;
    for (const double y : golden.y) largest = (std::max)(largest, std::fabs(y));
    // The known outputs of int8 are those of its rounded weights, so it is nearly as exact as q15: of 77 random
    // networks, one was off by more than half of this.
    const double tolerance = largest * (fixed_.is_small() ? 2e-2 : fixed_.is_wide() ? 1e-5 : 1e-2);
    out.code("\n#ifdef $NAME$_SELF_TEST\n", {{"NAME", upper_name}});
    table("golden_x", golden.x, fixed_.input_bits());
    table("golden_y", golden.y, output_bits());
    out.code(R"(
int @self_test(void) {
  @state state;
  @number y[$outputs$];
  int t, i;
  @reset(&state);
  for (t = 0; t < $steps$; ++t) {
    if (@step_integer(&state, @golden_x + $inputs$ * t, y)) return t + 1;
    for (i = 0; i < $outputs$; ++i) {
      const int32_t error = y[i] - @golden_y[$outputs$ * t + i];
      if (error > $tolerance$ || error < -$tolerance$) return t + 1;
    }
  }
  return 0;
}
#endif
)",
             {{"steps", CWriter::number(golden.steps)},
              {"inputs", CWriter::number(inputs())},
              {"outputs", CWriter::number(outputs())},
              {"tolerance", CWriter::number(fixed_.number(tolerance, output_bits()))}});
  }

 private:
  [[nodiscard]] static std::string_view text_of(std::string_view function) {
    return std::find_if(std::begin(c_functions), std::end(c_functions),
                        [&](const CFunction& f) { return f.name == function; })
        ->text;
  }
  [[nodiscard]] int inputs() const { return layers_.front().inputs; }
  [[nodiscard]] int outputs() const { return layers_.back().outputs; }
  [[nodiscard]] int output_bits() const { return fixed_layers_.back().output_bits; }
  [[nodiscard]] bool has_state() const {
    return std::any_of(layers_.begin(), layers_.end(), [](const CLayer& layer) { return layer.state > 0; });
  }
  [[nodiscard]] int bytes_of_state(const CFixedLayer& layer) const {
    return layer.state_type == "int32_t" || fixed_.is_wide() ? 4 : 2;
  }
  /// The name in C of the state of a layer.
  [[nodiscard]] std::string state_of(std::size_t k) const {
    return fixed_layers_.size() == 1 ? "v" : concatenate("v_", k);
  }

  /// A piece of code for each layer that has a state.
  [[nodiscard]] std::string each_state(const CWriter& out, std::string_view piece) const {
    std::string all;
    for (std::size_t k = 0; k < fixed_layers_.size(); ++k) {
      const CFixedLayer& layer = fixed_layers_[k];
      if (layer.layer.state == 0) continue;
      all += out.filled(piece, {{"type", layer.state_type},
                                {"v", state_of(k)},
                                {"count", CWriter::number(layer.layer.state)},
                                {"low", CWriter::number(layer.low)},
                                {"high", CWriter::number(layer.high)}});
    }
    return all;
  }
  /// What the layers hand to each other.
  [[nodiscard]] std::string arrays(const CWriter& out) const {
    std::string all;
    for (std::size_t k = 0; k + 1 < layers_.size(); ++k) {
      all += out.filled("  @number y_$k$[$outputs$];\n",
                        {{"k", CWriter::number(k)}, {"outputs", CWriter::number(layers_[k].outputs)}});
    }
    return all;
  }
  [[nodiscard]] std::string steps(const CWriter& out) const {
    std::string all;
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      all += out.filled("  @$function$($x$, $state$$y$);\n",
                        {{"function", layers_[k].function},
                         {"x", k == 0 ? "x" : concatenate("y_", k - 1)},
                         {"state", layers_[k].state > 0 ? "state->" + state_of(k) + ", " : ""},
                         {"y", k + 1 < layers_.size() ? concatenate("y_", k) : "y"}});
    }
    return all;
  }

  CFixedPoint fixed_;
  std::vector<CFixedLayer> fixed_layers_;
  std::vector<CLayer> layers_;
};

}  // namespace elegans::detail
