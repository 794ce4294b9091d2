// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <elegans/cell/activation.hpp>

namespace elegans {

/// How a CfC cell gets from its two heads to the next state; see `CfCCell`.
enum class CfCMode {
  standard,  ///< ncps' "default": ff1 (1 - t) + t ff2
  pure,      ///< the closed-form solution: -A exp(-dt (|w_tau| + |ff1|)) ff1 + A
  no_gate    ///< ff1 + t ff2
};

/// What makes a CfC besides its wiring or number of units. ncps' names and defaults.
struct CfCOptions {
  CfCMode mode = CfCMode::standard;
  Activation activation = Activation::lecun_tanh;  ///< of the backbone
  int backbone_units = 128;                        ///< neurons of a backbone layer, at least 1; unused with a wiring
  int backbone_layers = 1;                         ///< 0 for none; unused with a wiring, which has no backbone
  int proj_size = 0;                               ///< outputs of a linear layer behind the cell; 0 for none
  bool return_sequences = true;                    ///< the outputs of all steps, or of the last one only
  std::uint64_t seed = 1;                          ///< of the initial values: as `torch.manual_seed`
};

}  // namespace elegans
