// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/sequence.hpp>

namespace support {

/// Inputs that rise from -1 to 1.
inline elegans::Sequence<double> ramp(elegans::Index time, elegans::Index batch, elegans::Index features) {
  elegans::Sequence<double> x(time, batch, features);
  x.values().setLinSpaced(-1, 1);
  return x;
}

}  // namespace support
