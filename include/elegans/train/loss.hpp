// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// The mean of the squared errors over all steps, samples and outputs, as Keras' and PyTorch's.
struct MeanSquaredError {
  /// \param d_prediction  written: 2 (prediction - target) / size
  /// \note  The three must be of one shape.
  template <typename Scalar>
  Scalar operator()(const Sequence<Scalar>& prediction, const Sequence<Scalar>& target,
                    Sequence<Scalar>& d_prediction) const {
    const Scalar scale = Scalar(1) / static_cast<Scalar>(prediction.values().size());
    d_prediction.values() = prediction.values() - target.values();
    const Scalar loss = d_prediction.values().square().sum() * scale;
    d_prediction.values() *= Scalar(2) * scale;
    return loss;
  }
};

}  // namespace elegans
