// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <elegans/cell/gated/gru.hpp>
#include <elegans/cell/gated/lstm.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/linear_maps.hpp>
#include <elegans/io/c_source/memory.hpp>
#include <elegans/io/c_source/writer.hpp>

namespace elegans::detail {

/// Some gates' maps of x or of h, from PyTorch's tensors, where the gates lie one below the other.
template <typename Cell>
CLinearMaps gate_maps(const Cell& cell, const double* parameters, const std::string& kind,
                      const std::vector<int>& gates) {
  const auto& list = cell.parameters();
  const Parameter& weight = list.at("weight_" + kind + "_l0");
  const double* const bias = parameters + list.at("bias_" + kind + "_l0").offset;
  const Index units = cell.units();
  CLinearMaps maps;
  for (const int gate : gates) {
    std::vector<double> values;
    for (Index column = 0; column < weight.columns; ++column) {
      const double* const from = parameters + weight.offset + weight.rows * column + gate * units;
      values.insert(values.end(), from, from + units);
    }
    const CLinearMaps map(values.data(), static_cast<int>(units), static_cast<int>(weight.columns),
                          bias + gate * units);
    if (maps.maps() == 0) {
      maps = map;
    } else {
      maps.append(map);
    }
  }
  return maps;
}

/// Writes the step of an LSTM in float: the memory of a mixed model, whose h is the output.
inline CLayer write_cell(CWriter& out, const LSTMCell<double>& cell, const double* parameters, const CStepOptions& step,
                         const std::string& part) {
  // Of PyTorch's gates i, f, g and o, the tanh comes first.
  const std::vector<int> order{2, 0, 1, 3};
  CLinearMaps of_x = gate_maps(cell, parameters, "ih", order), of_h = gate_maps(cell, parameters, "hh", order);
  for (CLinearMaps* maps : {&of_x, &of_h}) {
    maps->scale(0, -2 * float_log2_of_e);
    for (int k = 1; k < 4; ++k) maps->scale(k, -float_log2_of_e);
  }
  of_x.add_biases(of_h);
  const int units = static_cast<int>(cell.units()), inputs = static_cast<int>(cell.input_dim());
  write_lstm(out, part, of_x.interleaved(of_h), units, inputs, step, "next", "@copy($units$, next, y);");
  out.need("copy");
  return {.function = part + "_step",
          .spoken = concatenate("LSTM, ", units, " units"),
          .inputs = inputs,
          .outputs = units,
          .state = 2 * units};
}

/// Writes the step of a GRU in float.
inline CLayer write_cell(CWriter& out, const GRUCell<double>& cell, const double* parameters, const CStepOptions& step,
                         const std::string& part) {
  const std::vector<int> order{0, 1, 2};
  CLinearMaps of_x = gate_maps(cell, parameters, "ih", order), of_h = gate_maps(cell, parameters, "hh", order);
  for (CLinearMaps* maps : {&of_x, &of_h}) {
    maps->scale(0, -float_log2_of_e);
    maps->scale(1, -float_log2_of_e);
    maps->scale(2, -2 * float_log2_of_e);
  }
  const int units = static_cast<int>(cell.units()), inputs = static_cast<int>(cell.input_dim());
  out.float_table(part + "_gates", of_x.interleaved(of_h, true));
  for (const char* function : {"add_three", "bend", "gate"}) out.need(function);
  out.code(R"(
static void @$part$_step(const float *x$elapsed$, const float *h, float *next) {
  const float *w = @$part$_gates;
  int i;
$unused$  for (i = 0; i < $units$; ++i) {
    float sum[3], of_x, reset, update;
    sum[0] = *w++;
    sum[1] = *w++;
    sum[2] = *w++;
    w = @add_three(w, x, $inputs$, sum);
    of_x = sum[2];
    sum[0] += *w++;
    sum[1] += *w++;
    sum[2] = *w++;
    w = @add_three(w, h, $units$, sum);
    reset = @gate(sum[0]);
    update = @gate(sum[1]);
    reset = @bend(of_x + reset * sum[2]);
    next[i] = reset + update * (h[i] - reset);
  }
}
)",
           {{"part", part},
            {"elapsed", step.elapsed_parameter()},
            {"unused", step.elapsed_time ? "" : "  (void)elapsed;\n"},
            {"units", CWriter::number(units)},
            {"inputs", CWriter::number(inputs)}});
  return {.function = part + "_step",
          .spoken = concatenate("GRU, ", units, " units"),
          .inputs = inputs,
          .outputs = units,
          .state = units,
          .outputs_are_state = true,
          .low = -1,
          .high = 1,
          .is_bounded = true};
}

}  // namespace elegans::detail
