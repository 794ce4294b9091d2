// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <elegans/core/activation.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/finite.hpp>
#include <elegans/core/initial_values.hpp>

namespace elegans {

/// How a CfC cell computes the next state from its heads: see cell/cfc/heads.hpp.
enum class CfCMode {
  standard,  ///< ncps' "default": ff1 (1 - t) + t ff2
  pure,      ///< the closed-form solution: -A exp(-dt (|w_tau| + |ff1|)) ff1 + A
  no_gate    ///< ff1 + t ff2
};

/// The options of a CfC besides its wiring or number of units: ncps' names and defaults.
struct CfCOptions {
  CfCMode mode = CfCMode::standard;
  Activation activation = Activation::lecun_tanh;  ///< of the backbone
  int backbone_units = 128;                        ///< neurons per backbone layer, at least 1; not used with a wiring
  int backbone_layers = 1;                         ///< 0 for none; not used with a wiring, which has no backbone
  /// The share of a backbone layer's values that training drops, in [0, 1). As in ncps, the first layer drops none,
  /// unless `dropout_behind_first_layer` is set.
  double backbone_dropout = 0;
  int proj_size = 0;             ///< outputs of a linear layer behind the cell; 0 for none
  bool return_sequences = true;  ///< true: the outputs of all steps; false: of the last step only
  std::uint64_t seed = 1;        ///< of the initial values, as `torch.manual_seed`

  // What the paper's own code has, and ncps has not.

  /// Of ff1 and ff2: tanh, or lecun_tanh as in the paper's code. A pure CfC has none.
  Activation head_activation = Activation::tanh;
  bool dropout_behind_first_layer = false;  ///< true: each layer of the backbone drops values, also the first
  InitialValues initial_values = InitialValues::torch;
};

namespace detail {

/// \throws InvalidArgument if an option is out of its range
inline void check_options(const CfCOptions& options) {
  if (options.backbone_units < 1) refuse("CfC: backbone_units must be at least 1, got ", options.backbone_units);
  if (options.backbone_layers < 0) refuse("CfC: backbone_layers must be at least 0, got ", options.backbone_layers);
  if (options.proj_size < 0) refuse("CfC: proj_size must be at least 0, got ", options.proj_size);
  if (is_nan(options.backbone_dropout) || options.backbone_dropout < 0 || options.backbone_dropout >= 1) {
    refuse("CfC: backbone_dropout must be in [0, 1), got ", options.backbone_dropout);
  }
  if (options.head_activation != Activation::tanh && options.head_activation != Activation::lecun_tanh) {
    refuse("CfC: head_activation must be tanh or lecun_tanh, got number ", static_cast<int>(options.head_activation));
  }
  if (options.mode == CfCMode::pure && options.head_activation != Activation::tanh) {
    refuse("CfC: head_activation has no meaning in a pure CfC, whose head has no activation");
  }
}

}  // namespace detail
}  // namespace elegans
