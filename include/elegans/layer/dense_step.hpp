// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/activation.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/types.hpp>
#include <elegans/kernel/linear/linear.hpp>
#include <elegans/simd/activate.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans::detail {

/// Room for a dense layer's step of a single stream, and the step itself. With fixed sizes it uses no heap.
template <typename Scalar, int Units, int Inputs>
class DenseStep {
 public:
  DenseStep(Index units, Index input_dim) {
    x_.resize(pad_neurons(input_dim));
    z_.resize(pad_neurons(units));
    y_.resize(z_.size());
  }

  /// Computes activation(W x + b).
  /// \param value  (0, input) -> value
  /// \return       (1, units) outputs; a view that lasts until the next call
  template <typename Value>
  ConstArrayView<Scalar> operator()(const LinearView<Scalar>& map, Activation activation, Value value) {
    with_neuron_lanes<Scalar>(map.outputs, [&]<LaneLayout Lanes>() {
      to_lanes<Lanes>(map.inputs, 1, x_.data(), value);
      map.template forward<Lanes>(x_.data(), {z_.data()});
    });
    activate<Packet<Scalar, full_lanes<Scalar>>>(activation, z_.data(), y_.data(), map.outputs);
    return {y_.data(), 1, map.outputs};
  }

 private:
  Buffer<Scalar, pad_neurons(Inputs)> x_;
  Buffer<Scalar, pad_neurons(Units)> z_, y_;
};

}  // namespace elegans::detail
