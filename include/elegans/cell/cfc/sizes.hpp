// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

/// The sizes of a CfC, for a type that fixes them: its values are then in place. By default, they are known at run time
/// only. The options must have the same sizes.
struct CfCSizes {
  int units = Dynamic;       ///< neurons of all blocks together
  int inputs = Dynamic;      ///< number of inputs
  int outputs = units;       ///< `proj_size`, or the motor neurons of a wiring
  int blocks = 1;            ///< the layers of a wiring, or 1
  int backbone_units = 128;  ///< neurons per backbone layer
  int backbone_layers = 1;   ///< 0 with a wiring, which has no backbone
};

namespace detail {

/// The largest sizes of a CfC's arrays: Dynamic, unless its type fixes them. Any block may be the largest.
template <CfCSizes Sizes>
struct CfCRoom {
  static constexpr bool is_fixed = Sizes.units != Dynamic;
  static_assert(!is_fixed || (Sizes.units > 0 && Sizes.inputs > 0 && Sizes.outputs > 0 && Sizes.blocks > 0 &&
                              Sizes.backbone_units > 0 && Sizes.backbone_layers >= 0),
                "elegans::CfCSizes: units, inputs, outputs, blocks and backbone_units must be at least 1");
  static_assert(!is_fixed || Sizes.blocks == 1 || Sizes.backbone_layers == 0,
                "elegans::CfCSizes: backbone_layers must be 0 if there are several blocks");

  static constexpr int blocks = is_fixed ? Sizes.blocks : Dynamic;
  static constexpr int layers = is_fixed ? Sizes.backbone_layers : Dynamic;
  static constexpr int layer_units = is_fixed ? (layers > 0 ? Sizes.backbone_units : 0) : Dynamic;
  static constexpr int in = add_sizes(Sizes.units, Sizes.inputs);
  static constexpr int layer_inputs = in == Dynamic || in > layer_units ? in : layer_units;
  static constexpr int features = is_fixed && layers > 0 ? layer_units : in;
  /// Inputs of the projection. Without one, all neurons are outputs, or the last of several blocks.
  static constexpr int projected = is_fixed && Sizes.outputs == Sizes.units ? 0 : Sizes.units;
  static constexpr int tensors = is_fixed ? blocks * (8 + 2 * layers) + 2 : Dynamic;
  static constexpr int parameters = is_fixed
                                        ? layers * layer_units * (layer_inputs + 1) + 4 * Sizes.units * (features + 1) +
                                              (projected > 0 ? Sizes.outputs * (projected + 1) : 0)
                                        : Dynamic;
  /// Values that the step of one sample computes in a block, besides the new state.
  static constexpr int values =
      is_fixed ? 4 * pad_neurons(Sizes.units) + 3 * layers * pad_neurons(layer_units) : Dynamic;
};

}  // namespace detail
}  // namespace elegans
