// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <utility>

#include <elegans/core/number_text.hpp>
#include <elegans/core/version.hpp>
#include <elegans/io/c_source/golden_steps.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// The two files of a network in C.
///
/// \tparam Steps  `CFloatStep` or `CFixedStep`: what is around the layers
template <typename Steps>
class CProgram {
 public:
  /// \param layers  the tables and functions of all layers
  CProgram(const CWriter& layers, Steps steps, std::string file_name, std::string origin,
           std::optional<double> elapsed_time, std::optional<GoldenSteps> golden)
      : layers_text_(layers),
        steps_(std::move(steps)),
        file_name_(std::move(file_name)),
        origin_(std::move(origin)),
        elapsed_time_(elapsed_time),
        golden_(std::move(golden)) {}

  [[nodiscard]] std::string header() const {
    CWriter out(layers_text_.name());
    out.code(R"($comment$#ifndef $NAME$_H
#define $NAME$_H

$include$

#define $NAME$_INPUTS $inputs$
#define $NAME$_OUTPUTS $outputs$
)",
             {{"comment", comment()},
              {"include", "#include <stdint.h>"},
              {"NAME", upper_name()},
              {"inputs", CWriter::number(steps_.layers().front().inputs)},
              {"outputs", CWriter::number(steps_.layers().back().outputs)}});
    steps_.declare(out, upper_name());
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
    CWriter out(layers_text_.name());
    out.code(
        "/* Made by export_c of elegans $version$; do not edit, export again. See $file$.h. */\n#include "
        "\"$file$.h\"\n",
        {{"version", ELEGANS_VERSION_STRING}, {"file", file_name_}});
    steps_.write_functions(out, layers_text_.needs());
    out.code("\n");
    CWriter end(layers_text_.name());
    steps_.write_steps(end, upper_name());
    if (golden_) steps_.write_self_test(end, *golden_, upper_name());
    return out.text() + layers_text_.text() + end.text();
  }

 private:
  [[nodiscard]] std::string upper_name() const {
    std::string upper = layers_text_.name();
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return upper;
  }

  [[nodiscard]] std::string comment() const {
    CWriter out(layers_text_.name());
    std::string layers;
    for (const CLayer& layer : steps_.layers()) layers += (layers.empty() ? "" : "; ") + layer.spoken;
    out.code(
        R"(/* A network in C, made by export_c of elegans $version$; do not edit, export again.

   $layers$: $inputs$ inputs, $outputs$ outputs.
   Arithmetic: $arithmetic$$elapsed$
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
         {"inputs", CWriter::number(steps_.layers().front().inputs)},
         {"outputs", CWriter::number(steps_.layers().back().outputs)},
         {"arithmetic", steps_.arithmetic()},
         {"elapsed", elapsed_time_ ? " Every step takes the elapsed time " + exact_decimal(*elapsed_time_) + "." : ""},
         {"flash", CWriter::number(layers_text_.table_bytes())},
         {"ram", CWriter::number(steps_.state_bytes())},
         {"stack", CWriter::number(steps_.stack_bytes())},
         {"bound", bound()},
         {"origin", origin_.empty() ? "" : "   Made from " + origin_ + ".\n"},
         {"NAME", upper_name()},
         {"argument", steps_.elapsed_argument()}});
    return out.text();
  }

  [[nodiscard]] std::string bound() const {
    double low = 0, high = 0;
    for (const CLayer& layer : steps_.layers()) {
      if (layer.state == 0) continue;
      if (!layer.is_bounded) return "The states have no bound that is known beforehand.";
      low = (std::min)(low, layer.low);
      high = (std::max)(high, layer.high);
    }
    return "From a reset on, the states stay between " + exact_decimal(low) + " and " + exact_decimal(high) +
           ", whatever the inputs are.";
  }

  const CWriter& layers_text_;
  Steps steps_;
  std::string file_name_, origin_;
  std::optional<double> elapsed_time_;
  std::optional<GoldenSteps> golden_;
};

}  // namespace elegans::detail
