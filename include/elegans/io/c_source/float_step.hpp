// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <elegans/core/number_text.hpp>
#include <elegans/io/c_source/functions.hpp>
#include <elegans/io/c_source/golden_steps.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// What a network in float has around its layers: the state, the step that checks its arguments, and a self-test. Each
/// layer reads the outputs of the one before it.
class CFloatStep {
 public:
  CFloatStep(std::vector<CLayer> layers, const CStepOptions& step) : layers_(std::move(layers)), step_(step) {}

  [[nodiscard]] const std::vector<CLayer>& layers() const noexcept { return layers_; }
  [[nodiscard]] int state_bytes() const { return 4 * state(); }
  [[nodiscard]] std::size_t stack_bytes() const {
    std::size_t values = steps_in_place() || steps_in_output() ? 0 : static_cast<std::size_t>(state());
    for (const CLayer& layer : layers_) values += layer.stack_values;
    for (std::size_t k = 0; k + 1 < layers_.size(); ++k) values += static_cast<std::size_t>(layers_[k].outputs);
    return 4 * values;
  }

  /// Lines for the first comment.
  [[nodiscard]] static const char* arithmetic() { return "float."; }
  [[nodiscard]] std::string elapsed_argument() const { return step_.elapsed_argument(); }

  void declare(CWriter& out, const std::string& upper_name) const {
    out.code(R"(
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
     1  elapsed is negative, above 1e30 or NaN
     2  an input is infinite or NaN
     3  the state is out of range, or it or an output would be after the step */
int @step(@state *state, const float x[$NAME$_INPUTS]$elapsed$, float y[$NAME$_OUTPUTS]);
)",
             {{"NAME", upper_name},
              {"state", CWriter::number((std::max)(state(), 1))},
              {"elapsed", step_.elapsed_parameter()}});
  }

  /// Types and functions that the layers call.
  void write_functions(CWriter& out, std::set<std::string> needs) const {
    needs.insert("magnitude");
    if (!steps_in_place()) needs.insert("copy");
    add_needs(needs, c_functions);
    for (const CFunction& function : c_functions) {
      if (needs.contains(std::string(function.name))) out.code("\n" + std::string(function.text));
    }
  }

  void write_steps(CWriter& out, const std::string&) const {
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
    if (!in_output && !steps_in_place())
      out.code("  float next[$state$];\n", {{"state", CWriter::number((std::max)(state(), 1))}});
    for (std::size_t k = 0; k + 1 < layers_.size(); ++k) {
      out.code("  float y_$k$[$outputs$];\n",
               {{"k", CWriter::number(k)}, {"outputs", CWriter::number(layers_[k].outputs)}});
    }
    out.code("  int i;\n");
    if (!step_.elapsed_time) {
      out.code("  if (@magnitude(elapsed) > 0x7149f2cau || elapsed < 0.0f) return 1; /* 1e30 */\n");
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
    if (steps_in_place()) {
      out.code("  @$function$(x$elapsed$, state->v, y);\n  return 0;\n}\n",
               {{"function", layers_.front().function}, {"elapsed", step_.elapsed_argument()}});
      return;
    }
    first = 0;
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      const CLayer& layer = layers_[k];
      const std::string at = first > 0 ? " + " + CWriter::number(first) : "";
      const std::string to = k + 1 < layers_.size() ? concatenate("y_", k) : "y";
      out.code(layer.state == 0 ? "  @$function$($x$, $to$);\n"
                                : "  @$function$($x$$elapsed$, state->v$at$, $next$$at$$y$);\n",
               {{"function", layer.function},
                {"x", k == 0 ? "x" : concatenate("y_", k - 1)},
                {"elapsed", step_.elapsed_argument()},
                {"at", at},
                {"next", next},
                {"to", to},
                {"y", layer.outputs_are_state ? "" : ", " + to}});
      if (layer.outputs_are_state && !in_output) {
        out.code("  @copy($count$, next$at$, $to$);\n",
                 {{"count", CWriter::number(layer.outputs)}, {"at", at}, {"to", to}});
      }
      first += layer.state;
    }
    // A layer without memory may reach infinity, although the states do not.
    if (layers_.back().state == 0) {
      out.code("  for (i = 0; i < $outputs$; ++i) {\n    if (@magnitude(y[i]) >= 0x7f800000u) return 3;\n  }\n",
               {{"outputs", CWriter::number(outputs())}});
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

  void write_self_test(CWriter& out, const GoldenSteps& golden, const std::string& upper_name) const {
    double largest = 1;
    for (const double y : golden.y) largest = (std::max)(largest, std::fabs(y));
    out.code("\n#ifdef $NAME$_SELF_TEST\n", {{"NAME", upper_name}});
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

 private:
  [[nodiscard]] int inputs() const { return layers_.front().inputs; }
  [[nodiscard]] int outputs() const { return layers_.back().outputs; }
  [[nodiscard]] int state() const {
    int sum = 0;
    for (const CLayer& layer : layers_) sum += layer.state;
    return sum;
  }
  [[nodiscard]] bool steps_in_place() const { return layers_.size() == 1 && layers_.front().is_in_place; }
  /// A step of a single layer whose state is its output needs no memory of its own for the next state.
  [[nodiscard]] bool steps_in_output() const { return layers_.size() == 1 && layers_.front().outputs_are_state; }

  std::vector<CLayer> layers_;
  CStepOptions step_;
};

}  // namespace elegans::detail
