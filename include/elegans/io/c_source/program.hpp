// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/number_text.hpp>
#include <elegans/core/version.hpp>
#include <elegans/io/c_source/functions.hpp>
#include <elegans/io/c_source/golden_steps.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// The two files of a network in C, made of its layers: each reads the outputs of the one before it.
class CProgram {
 public:
  CProgram(std::string name, std::string file_name, std::string origin, const CStepOptions& step)
      : name_(std::move(name)),
        file_name_(std::move(file_name)),
        origin_(std::move(origin)),
        step_(step),
        layers_text_(name_) {}

  /// Where the layers write their tables and functions.
  [[nodiscard]] CWriter& writer() noexcept { return layers_text_; }
  void add(CLayer layer) { layers_.push_back(std::move(layer)); }
  void add_self_test(GoldenSteps golden) { golden_ = std::move(golden); }

  [[nodiscard]] std::string header() const {
    CWriter out(name_);
    out.code(R"($comment$#ifndef $NAME$_H
#define $NAME$_H

$include$

#define $NAME$_INPUTS $inputs$
#define $NAME$_OUTPUTS $outputs$

#ifdef __cplusplus
extern "C" {
#endif

/* What a network remembers from step to step: one for each stream of inputs. */
typedef struct {
  float v[$state$];
} @state;

/* Starts a stream. */
void @reset(@state *state);

/* Takes one step: reads x, changes the state, writes y.
   Returns 0; or what it refuses, while the state stays as it was:
     1  elapsed is negative, infinite or NaN
     2  an input is infinite or NaN
     3  the state is out of range, or would be after the step */
int @step(@state *state, const float x[$NAME$_INPUTS]$elapsed$, float y[$NAME$_OUTPUTS]);
)",
             {{"comment", comment()},
              {"include", "#include <stdint.h>"},
              {"NAME", upper_name()},
              {"inputs", CWriter::number(inputs())},
              {"outputs", CWriter::number(outputs())},
              {"state", CWriter::number(state())},
              {"elapsed", step_.elapsed_parameter()}});
    if (golden_) {
      out.code(R"(
#ifdef $NAME$_SELF_TEST
/* Compares a few steps with those of the model in double. Returns 0 if they agree, or the number of the step that does
   not, from 1. */
int @self_test(void);
#endif
)",
               {{"NAME", upper_name()}});
    }
    out.code("\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
    return out.text();
  }

  [[nodiscard]] std::string source() const {
    CWriter out(name_);
    std::set<std::string> needs = layers_text_.needs();
    needs.insert({"magnitude", "copy"});
    add_needs(needs);
    out.code(
        "/* Made by export_c of elegans $version$; do not edit, export again. See $file$.h. */\n#include "
        "\"$file$.h\"\n",
        {{"version", ELEGANS_VERSION_STRING}, {"file", file_name_}});
    for (const CFunction& function : c_functions) {
      if (needs.contains(std::string(function.name))) out.code("\n" + std::string(function.text));
    }
    out.code("\n");
    std::string all = out.text() + layers_text_.text();
    CWriter end(name_);
    write_step(end);
    if (golden_) write_self_test(end, *golden_);
    return all + end.text();
  }

 private:
  [[nodiscard]] int inputs() const { return layers_.front().inputs; }
  [[nodiscard]] int outputs() const { return layers_.back().outputs; }
  [[nodiscard]] int state() const {
    int sum = 0;
    for (const CLayer& layer : layers_) sum += layer.state;
    return sum;
  }
  [[nodiscard]] std::string upper_name() const {
    std::string upper = name_;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return upper;
  }
  /// A step of a single layer whose state is its output needs no memory of its own for the next state.
  [[nodiscard]] bool steps_in_output() const { return layers_.size() == 1 && layers_.front().outputs_are_state; }

  [[nodiscard]] std::string comment() const {
    CWriter out(name_);
    std::string layers;
    std::size_t stack = steps_in_output() ? 0 : static_cast<std::size_t>(state());
    for (const CLayer& layer : layers_) {
      layers += (layers.empty() ? "" : "; ") + layer.spoken;
      stack += layer.stack_values;
    }
    out.code(
        R"(/* A network in C, made by export_c of elegans $version$; do not edit, export again.

   $layers$: $inputs$ inputs, $outputs$ outputs.
   Arithmetic: float.$elapsed$
   Flash: constants of $flash$ bytes, besides the code.
   RAM: $ram$ bytes for each state. A step needs arrays of $stack$ bytes on the stack.
   $bound$
$origin$
       static @state state;
       float y[$NAME$_OUTPUTS];
       @reset(&state);
       for (;;) {
         ... sensors into x ...
         if (@step(&state, x$argument$, y) == 0) ... y to motors ...
       }

   It calls no function of a library, and has no memory but that of the states. States are independent: threads may step
   different ones at the same time. */
)",
        {{"version", ELEGANS_VERSION_STRING},
         {"layers", layers},
         {"inputs", CWriter::number(inputs())},
         {"outputs", CWriter::number(outputs())},
         {"elapsed",
          step_.elapsed_time ? " Every step takes the elapsed time " + exact_decimal(*step_.elapsed_time) + "." : ""},
         {"flash", CWriter::number(layers_text_.table_bytes())},
         {"ram", CWriter::number(4 * state())},
         {"stack", CWriter::number(4 * stack)},
         {"bound", bound()},
         {"origin", origin_.empty() ? "" : "   Made from " + origin_ + ".\n"},
         {"NAME", upper_name()},
         {"argument", step_.elapsed_argument()}});
    return out.text();
  }

  [[nodiscard]] std::string bound() const {
    double low = 0, high = 0;
    for (const CLayer& layer : layers_) {
      if (!layer.is_bounded) return "The states have no bound that is known beforehand.";
      low = (std::min)(low, layer.low);
      high = (std::max)(high, layer.high);
    }
    return "From a reset on, the states stay between " + exact_decimal(low) + " and " + exact_decimal(high) +
           ", whatever the inputs are.";
  }
  /// A number with the fewest digits that tell it from all other doubles.
  [[nodiscard]] static std::string exact_decimal(double value) {
    for (int digits = 1; digits < 17; ++digits) {
      std::string text = number_text(value, digits);
      if (read_number<double>(text) == value) return text;
    }
    return number_text(value, 17);
  }

  void write_step(CWriter& out) const {
    out.code(R"(
void @reset(@state *state) {
  volatile float *v = state->v; /* so that no compiler makes a call of memset of it */
  int i;
  for (i = 0; i < $state$; ++i) v[i] = 0.0f;
}

int @step(@state *state, const float x[$inputs$]$elapsed$, float y[$outputs$]) {
)",
             {{"state", CWriter::number(state())},
              {"inputs", CWriter::number(inputs())},
              {"outputs", CWriter::number(outputs())},
              {"elapsed", step_.elapsed_parameter()}});
    const bool in_output = steps_in_output();
    const std::string next = in_output ? "y" : "next";
    if (!in_output) out.code("  float next[$state$];\n", {{"state", CWriter::number(state())}});
    for (std::size_t k = 0; k + 1 < layers_.size(); ++k) {
      out.code("  float y_$k$[$outputs$];\n",
               {{"k", CWriter::number(k)}, {"outputs", CWriter::number(layers_[k].outputs)}});
    }
    out.code("  int i;\n");
    if (!step_.elapsed_time) {
      out.code("  if (@magnitude(elapsed) >= 0x7f800000u || elapsed < 0.0f) return 1;\n");
    }
    out.code("  for (i = 0; i < $inputs$; ++i) {\n    if (@magnitude(x[i]) >= 0x7f800000u) return 2;\n  }\n",
             {{"inputs", CWriter::number(inputs())}});
    int first = 0;
    for (const CLayer& layer : layers_) {
      if (layer.state_limit) {
        // The magnitude of a float is ordered as its bits are.
        const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(*layer.state_limit));
        out.code(
            "  for (i = $first$; i < $last$; ++i) {\n    if (@magnitude(state->v[i]) > $bits$u) return 3;"
            " /* $limit$ */\n  }\n",
            {{"first", CWriter::number(first)},
             {"last", CWriter::number(first + layer.state)},
             {"bits", CWriter::number(bits)},
             {"limit", exact_decimal(static_cast<float>(*layer.state_limit))}});
      }
      first += layer.state;
    }
    first = 0;
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      const CLayer& layer = layers_[k];
      const std::string at = first > 0 ? " + " + CWriter::number(first) : "";
      const std::string to = k + 1 < layers_.size() ? concatenate("y_", k) : "y";
      out.code("  @$function$($x$$elapsed$, state->v$at$, $next$$at$$y$);\n",
               {{"function", layer.function},
                {"x", k == 0 ? "x" : concatenate("y_", k - 1)},
                {"elapsed", step_.elapsed_argument()},
                {"at", at},
                {"next", next},
                {"y", layer.outputs_are_state ? "" : ", " + to}});
      if (layer.outputs_are_state && !in_output) {
        out.code("  @copy($count$, next$at$, $to$);\n",
                 {{"count", CWriter::number(layer.outputs)}, {"at", at}, {"to", to}});
      }
      first += layer.state;
    }
    out.code(R"(  for (i = 0; i < $state$; ++i) {
    if (@magnitude($next$[i]) >= 0x7f800000u) return 3;
  }
  @copy($state$, $next$, state->v);
  return 0;
}
)",
             {{"state", CWriter::number(state())}, {"next", next}});
  }

  void write_self_test(CWriter& out, const GoldenSteps& golden) const {
    double largest = 1;
    for (const double y : golden.y) largest = (std::max)(largest, std::fabs(y));
    out.code("\n#ifdef $NAME$_SELF_TEST\n", {{"NAME", upper_name()}});
    out.float_table("golden_x", golden.x);
    if (!step_.elapsed_time) out.float_table("golden_elapsed", golden.elapsed);
    out.float_table("golden_y", golden.y);
    out.code(R"(
int @self_test(void) {
  @state state;
  float y[$outputs$];
  int t, i;
  @reset(&state);
  for (t = 0; t < $steps$; ++t) {
    if (@step(&state, @golden_x + $inputs$ * t$elapsed$, y)) return t + 1;
    for (i = 0; i < $outputs$; ++i) {
      const float error = y[i] - @golden_y[$outputs$ * t + i];
      if (!(error < $tolerance$ && error > -$tolerance$)) return t + 1;
    }
  }
  return 0;
}
#endif
)",
             {{"steps", CWriter::number(golden.steps)},
              {"inputs", CWriter::number(inputs())},
              {"outputs", CWriter::number(outputs())},
              {"elapsed", step_.elapsed_time ? "" : out.filled(", @golden_elapsed[t]", {})},
              {"tolerance", float_literal(1e-5 * largest)}});
  }

  std::string name_, file_name_, origin_;
  CStepOptions step_;
  CWriter layers_text_;
  std::vector<CLayer> layers_;
  std::optional<GoldenSteps> golden_;
};

}  // namespace elegans::detail
