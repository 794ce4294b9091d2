// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <elegans/core/activation.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>
#include <elegans/io/c_source/fixed/activation.hpp>
#include <elegans/io/c_source/fixed/format.hpp>
#include <elegans/io/c_source/fixed/maps.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/linear_maps.hpp>
#include <elegans/io/c_source/writer.hpp>
#include <elegans/layer/dense.hpp>

namespace elegans::detail {

/// Writes a dense layer in q31 or q15.
inline CFixedLayer write_layer(CWriter& out, const Dense<double>& layer, const CFixedPoint& fixed,
                               const std::string& part) {
  if (fixed.is_small()) refuse("export to C: a dense layer needs float, q31 or q15; int8 is for a CfC");
  const int inputs = static_cast<int>(layer.input_dim()), outputs = static_cast<int>(layer.output_dim());
  const double* const parameters = layer.parameters().data();
  CLinearMaps map(parameters, outputs, inputs, parameters + Index{inputs} * outputs);
  const CFixedColumns from{inputs, fixed.input_bits(), fixed.input_bound()};
  CFixedOutputs written;
  if (layer.options().activation == Activation::linear) {
    written = write_fixed_outputs(out, fixed, map, from, part + "_weights", "x");
  } else {
    const CFixedActivation activation(fixed, layer.options().activation, "a dense layer");
    map.scale(0, activation.scale());
    const std::vector<CFixedColumns> columns{from};
    const CFixedMaps maps(fixed, map, columns, fixed.exponent_bits());
    maps.write(out, part + "_weights");
    for (const char* name : {"add_1", "times", "sum"}) out.need(name);
    const CFixedColumns numbers = activation.numbers(outputs, maps);
    written = {out.filled(R"(  const @weight *w = @$part$_weights;
  const @row *row = @$part$_weights_rows;
  int i;
  for (i = 0; i < $outputs$; ++i, ++row) {
    @total sum[1] = {0};
    int32_t s;
    w = @add_1(w, x, $inputs$, sum);
    s = $sum$;
    y[i] = (@number)($number$);
  }
)",
                          {{"part", part},
                           {"outputs", CWriter::number(outputs)},
                           {"inputs", CWriter::number(inputs)},
                           {"sum", activation.sum(out, maps)},
                           {"number", activation.of_sum(out, maps, numbers.bits)}}),
               numbers.bits};
  }
  out.code("\nstatic void @$part$_step(const @number *x, @number *y) {\n", {{"part", part}});
  out.code(written.code);
  out.code("}\n");
  return {.layer = {.function = part + "_step",
                    .spoken = concatenate("Dense, ", outputs, " outputs"),
                    .inputs = inputs,
                    .outputs = outputs},
          .state_type = {},
          .output_bits = written.bits};
}

}  // namespace elegans::detail
