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

/// What a network in whole numbers has around its layer: formats, steps of integers and of floats, and a self-test.
class CFixedStep {
 public:
  CFixedStep(const CFixedPoint& fixed, CFixedLayer layer)
      : fixed_(fixed), fixed_layer_(std::move(layer)), layers_{fixed_layer_.layer} {}

  [[nodiscard]] const std::vector<CLayer>& layers() const noexcept { return layers_; }
  [[nodiscard]] int state_bytes() const {
    return layer().state * (fixed_layer_.state_type == "int32_t" || fixed_.is_wide() ? 4 : 2);
  }
  [[nodiscard]] int stack_bytes() const {
    const int numbers = layer().inputs * (fixed_.is_wide() ? 4 : 2);
    return static_cast<int>(layer().stack_values) * state_bytes() / layer().state + numbers;
  }

  /// Lines for the first comment.
  [[nodiscard]] std::string arithmetic() const {
    const auto largest = [&](int bits) { return number_text(std::ldexp(1.0, fixed_.number_bits() - bits), 6); };
    const auto unit = [](int bits) { return concatenate("2^", -bits); };
    return concatenate(fixed_.spoken(), ", without float. An input counts ", unit(fixed_.input_bits()),
                       " and stays below ", largest(fixed_.input_bits()), ";\n   an output counts ",
                       unit(fixed_layer_.output_bits), " and stays below ", largest(fixed_layer_.output_bits),
                       ";\n   a state counts ", unit(fixed_layer_.state_bits),
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
  $state_type$ v[$state$];
} @state;

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
              {"output_bits", CWriter::number(fixed_layer_.output_bits)},
              {"state_type", fixed_layer_.state_type},
              {"state", CWriter::number(layer().state)}});
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
    out.code(R"(
void @reset(@state *state) {
  volatile $state_type$ *v = state->v; /* so that no compiler makes a call of memset of it */
  int i;
  for (i = 0; i < $state$; ++i) v[i] = 0;
}

int @step_integer(@state *state, const @number x[$inputs$], @number y[$outputs$]) {
  int i;
  for (i = 0; i < $state$; ++i) {
    const int32_t v = state->v[i];
    if (v < $low$ || v > $high$) return 3;
  }
  @$function$(x, state->v, y);
  return 0;
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
              {"function", layer().function},
              {"magnitude", out.filled(std::string(text_of("float")) + "\n" + std::string(text_of("magnitude")), {})},
              {"state_type", fixed_layer_.state_type},
              {"state", CWriter::number(layer().state)},
              {"inputs", CWriter::number(layer().inputs)},
              {"outputs", CWriter::number(layer().outputs)},
              {"low", CWriter::number(fixed_layer_.low)},
              {"high", CWriter::number(fixed_layer_.high)},
              {"to_number", float_literal(std::ldexp(1.0, fixed_.input_bits()))},
              {"to_float", float_literal(std::ldexp(1.0, -fixed_layer_.output_bits))},
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
    table("golden_y", golden.y, fixed_layer_.output_bits);
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
              {"inputs", CWriter::number(layer().inputs)},
              {"outputs", CWriter::number(layer().outputs)},
              {"tolerance", CWriter::number(fixed_.number(tolerance, fixed_layer_.output_bits))}});
  }

 private:
  [[nodiscard]] static std::string_view text_of(std::string_view function) {
    return std::find_if(std::begin(c_functions), std::end(c_functions),
                        [&](const CFunction& f) { return f.name == function; })
        ->text;
  }
  [[nodiscard]] const CLayer& layer() const noexcept { return fixed_layer_.layer; }

  CFixedPoint fixed_;
  CFixedLayer fixed_layer_;
  std::vector<CLayer> layers_;
};

}  // namespace elegans::detail
