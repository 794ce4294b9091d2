// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <elegans/cell/memory/options.hpp>
#include <elegans/core/initial_values.hpp>
#include <elegans/core/initializers.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/torch_random.hpp>
#include <elegans/core/types.hpp>

namespace elegans::detail {

/// Offsets of the tensors of an LSTM in a parameter vector.
struct LSTMOffsets {
  Index input_weight = -1;      ///< (4 units, inputs)
  Index input_bias = -1;        ///< (4 units)
  Index recurrent_weight = -1;  ///< (4 units, units)
};

/// Appends ncps' tensors to a list.
inline LSTMOffsets add_lstm_parameters(ParameterList<>& list, Index units, Index inputs) {
  const int rows = static_cast<int>(4 * units);
  list.add("lstm.input_map.weight", rows, static_cast<int>(inputs));
  list.add("lstm.input_map.bias", rows, 1);
  list.add("lstm.recurrent_map.weight", rows, static_cast<int>(units));
  return {list.at("lstm.input_map.weight").offset, list.at("lstm.input_map.bias").offset,
          list.at("lstm.recurrent_map.weight").offset};
}

/// Sets initial values with ncps' distributions: the input map Xavier uniform, its bias uniform in +-0.1, the recurrent
/// map orthogonal. Keras' differ in the bias, which is 0. The forget gate's rows are the third quarter.
template <typename Scalar>
void initialize_lstm(const ParameterList<>& list, const MemoryOptions& options, std::uint64_t seed,
                     Scalar* parameters) {
  // The random numbers of the other cell start from the same seed, so these must start from a different one.
  TorchRandom random(seed ^ 0x15721572U);
  initialize_xavier(list.at("lstm.input_map.weight"), random, parameters);
  const Parameter& bias = list.at("lstm.input_map.bias");
  draw_uniform(bias, 0.1, random, parameters);
  if (options.initial_values == InitialValues::keras) fill(bias, Scalar(0), parameters);
  const Index units = bias.size() / 4;
  for (Index i = 2 * units; i < 3 * units; ++i) {
    parameters[bias.offset + i] += static_cast<Scalar>(options.forget_bias - 1);
  }
  initialize_orthogonal(list.at("lstm.recurrent_map.weight"), random, parameters);
}

}  // namespace elegans::detail
