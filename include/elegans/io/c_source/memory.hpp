// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <elegans/cell/memory/parameters.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/linear_maps.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// The gates of an LSTM, i, ig, fg and og, as linear maps of [x, h]. The 1 that is added to fg is in its bias.
template <typename List>
CLinearMaps lstm_maps(const List& list, const double* parameters, Index units, Index inputs) {
  const double* const input = parameters + list.at("lstm.input_map.weight").offset;
  const double* const recurrent = parameters + list.at("lstm.recurrent_map.weight").offset;
  const double* const bias = parameters + list.at("lstm.input_map.bias").offset;
  CLinearMaps gates;
  for (Index k = 0; k < 4; ++k) {
    std::vector<double> weight;
    for (Index column = 0; column < inputs + units; ++column) {
      const double* const from =
          column < inputs ? input + 4 * units * column : recurrent + 4 * units * (column - inputs);
      weight.insert(weight.end(), from + k * units, from + (k + 1) * units);
    }
    const CLinearMaps gate(weight.data(), static_cast<int>(units), static_cast<int>(inputs + units), bias + k * units);
    if (k == 0) {
      gates = gate;
    } else {
      gates.append(gate);
    }
  }
  gates.add_to_bias(2, 1);
  return gates;
}

/// Writes the step of an LSTM in float.
///
/// \param weights  of the gates tanh, input, forget and output, interleaved, of [x, h]
/// \param to       where h goes, in C
/// \param end      what follows once h and c are there
inline void write_lstm(CWriter& out, const std::string& part, const std::vector<double>& weights, int units, int inputs,
                       const CStepOptions& step, const std::string& to, const std::string& end) {
  out.float_table(part + "_gates", weights);
  for (const char* function : {"add_four", "bend", "gate"}) out.need(function);
  const std::string count = CWriter::number(units);
  out.code(R"(
/* The state is h and, behind it, c. */
static void @$part$_step(const float *x$elapsed$, const float *state, float *next, float *y) {
$array$  const float *w = @$part$_gates;
  int i;
$unused$  for (i = 0; i < $units$; ++i) {
    float sum[4], c;
    sum[0] = *w++;
    sum[1] = *w++;
    sum[2] = *w++;
    sum[3] = *w++;
    w = @add_four(w, x, $inputs$, sum);
    w = @add_four(w, state, $units$, sum);
    c = state[$units$ + i] * @gate(sum[2]) + @bend(sum[0]) * @gate(sum[1]);
    next[$units$ + i] = c;
    $to$[i] = @bend(-24204406.0f * c) * @gate(sum[3]);
  }
  $end$
}
)",
           {{"part", part},
            {"elapsed", step.elapsed_parameter()},
            {"array", to == "next" ? "" : "  float " + to + "[" + count + "];\n"},
            {"unused", to == "next" && !step.elapsed_time ? "  (void)elapsed;\n" : ""},
            {"units", count},
            {"inputs", CWriter::number(inputs)},
            {"to", to},
            {"end", out.filled(end, {{"units", count}})}});
}

/// Writes the step of an LSTM in front of another cell, in float.
///
/// \param gates  of `lstm_maps`
/// \param inner  the layer of the other cell, already written
inline CLayer write_memory(CWriter& out, CLinearMaps gates, const CLayer& inner, const CStepOptions& step,
                           const std::string& part) {
  gates.scale(0, -2 * float_log2_of_e);
  for (int k = 1; k < 4; ++k) gates.scale(k, -float_log2_of_e);
  std::string end = out.filled(
      "@$inner$(x$argument$, h, next$y$);",
      {{"inner", inner.function}, {"argument", step.elapsed_argument()}, {"y", inner.outputs_are_state ? "" : ", y"}});
  if (inner.outputs_are_state) {
    out.need("copy");
    end += out.filled("\n  @copy($units$, next, y);", {{"units", CWriter::number(inner.state)}});
  }
  write_lstm(out, part, gates.interleaved(), inner.state, inner.inputs, step, "h", end);
  return {.function = part + "_step",
          .spoken = inner.spoken + ", with mixed memory",
          .inputs = inner.inputs,
          .outputs = inner.outputs,
          .state = 2 * inner.state,
          .stack_values = inner.stack_values + static_cast<std::size_t>(inner.state)};
}

}  // namespace elegans::detail
