// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <elegans/core/activation.hpp>
#include <elegans/io/c_source/functions.hpp>
#include <elegans/io/c_source/layer.hpp>
#include <elegans/io/c_source/linear_maps.hpp>
#include <elegans/io/c_source/writer.hpp>
#include <elegans/layer/dense.hpp>
#include <elegans/layer/layer_norm.hpp>

namespace elegans::detail {

/// Writes a dense layer in float.
inline CLayer write_layer(CWriter& out, const Dense<double>& layer, const std::string& part) {
  const int inputs = static_cast<int>(layer.input_dim()), outputs = static_cast<int>(layer.output_dim());
  const double* const parameters = layer.parameters().data();
  const CLinearMaps map(parameters, outputs, inputs, parameters + Index{inputs} * outputs);
  out.float_table(part + "_weights", map.interleaved());
  out.need("add_one");
  const Activation activation = layer.options().activation;
  std::string result = "sum[0]";
  if (activation != Activation::linear) {
    out.need(c_function_of(activation));
    result = out.filled("@$function$(sum[0])", {{"function", c_function_of(activation)}});
  }
  out.code(
      R"(
static void @$part$_step(const float *x, float *y) {
  const float *w = @$part$_weights;
  int i;
  for (i = 0; i < $outputs$; ++i) {
    float sum[1];
    sum[0] = *w++;
    w = @add_one(w, x, $inputs$, sum);
    y[i] = $result$;
  }
}
)",
      {{"part", part}, {"outputs", CWriter::number(outputs)}, {"inputs", CWriter::number(inputs)}, {"result", result}});
  return {.function = part + "_step",
          .spoken = concatenate("Dense, ", outputs, " outputs"),
          .inputs = inputs,
          .outputs = outputs};
}

/// Writes a layer normalization in float.
inline CLayer write_layer(CWriter& out, const LayerNorm<double>& layer, const std::string& part) {
  const int features = static_cast<int>(layer.input_dim());
  std::vector<double> values(layer.parameters().begin(), layer.parameters().end());
  out.float_table(part + "_scale", values);
  out.need("inverse_root");
  out.code(R"(
/* The weights, and then the biases, are in the table. */
static void @$part$_step(const float *x, float *y) {
  float mean = 0.0f, variance = 0.0f;
  int i;
  for (i = 0; i < $features$; ++i) mean += x[i];
  mean *= $inverse$;
  for (i = 0; i < $features$; ++i) variance += (x[i] - mean) * (x[i] - mean);
  variance = @inverse_root(variance * $inverse$ + $epsilon$);
  for (i = 0; i < $features$; ++i) {
    y[i] = @$part$_scale[i] * ((x[i] - mean) * variance) + @$part$_scale[$features$ + i];
  }
}
)",
           {{"part", part},
            {"features", CWriter::number(features)},
            {"inverse", float_literal(1.0 / features)},
            {"epsilon", float_literal(layer.options().epsilon)}});
  return {.function = part + "_step",
          .spoken = concatenate("LayerNorm, ", features, " features"),
          .inputs = features,
          .outputs = features};
}

}  // namespace elegans::detail
