// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/buffer.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/normalization.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

/// A `LayerNorm` for a single stream, of fixed size, on weights that are constants of the program: it uses no heap. It
/// computes the same numbers as `LayerNorm`, to the bit. `export_header` writes its arguments.
template <typename ScalarType, int Features>
class LayerNormView {
 public:
  using Scalar = ScalarType;
  static constexpr int state_size_at_compile_time = 0;
  static constexpr int inputs_at_compile_time = Features;
  static constexpr int outputs_at_compile_time = Features;

  /// \param norm  of that many features; its weights must outlive the layer
  explicit LayerNormView(const detail::Normalization<Scalar>& norm) : norm_(norm) {
    for (auto* values : {&x_, &y_}) values->resize(detail::pad_neurons(Features));
  }

  /// See `LayerNorm::step`.
  ConstArrayView<Scalar> step(const ConstArrayView<Scalar>& x, State<Scalar, 0, 1>&, Scalar) & {
    // The values behind the features stay 0.
    for (Index f = 0; f < Features; ++f) x_[f] = x(0, f);
    detail::with_neuron_lanes<Scalar>(Features,
                                      [&]<LaneLayout Lanes>() { norm_.template forward<Lanes>(x_.data(), y_.data()); });
    return {y_.data(), 1, Features};
  }

 private:
  detail::Normalization<Scalar> norm_;
  Buffer<Scalar, detail::pad_neurons(Features)> x_, y_;
};

}  // namespace elegans
