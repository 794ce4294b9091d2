// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/mask.hpp>
#include <elegans/inspect/check_gradients.hpp>

#include "support/catch.hpp"

namespace support {

/// All gradients of a model against finite differences.
template <typename Model>
void require_gradients(const Model& model, elegans::Index time, elegans::Index batch, const elegans::Mask& mask = {}) {
  const elegans::GradientCheck result = elegans::check_gradients(model, {.time = time, .batch = batch}, mask);
  INFO("batch " << batch << ": " << result.where << " is off by " << result.largest_error);
  CHECK(result.ok(2e-7));
}

}  // namespace support
