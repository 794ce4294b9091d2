// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/layer/chain.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/parts.hpp>

namespace elegans {

/// A `Sequential` whose number of layers is known at run time only. All layers are of one type: for instance LTCs, or
/// `LayerVariant`s, which hold layers of different types.
///
///     std::vector<elegans::LTC<float>> layers(depth, elegans::LTC<float>(elegans::FullyConnected(8), 8));
///     elegans::Stack<elegans::LTC<float>> model(layers);
///
/// It behaves as the `Sequential` of the same layers does, and has the same names of parameters.
template <AnyLayer Layer>
class Stack : public Chain<Stack<Layer>, typename Layer::Scalar, detail::PartVector<Layer>> {
  using Base = Chain<Stack<Layer>, typename Layer::Scalar, detail::PartVector<Layer>>;

 public:
  /// True if no layer reads steps that come later, as far as the type of the layers tells.
  static constexpr bool is_causal = CausalLayer<Layer>;

  /// \throws InvalidArgument if there is no layer, or if a layer's input_dim is not the output_dim of the one before it
  explicit Stack(std::vector<Layer> layers) : Base(detail::PartVector<Layer>(not_empty(std::move(layers)))) {}

  /// The number of layers.
  [[nodiscard]] std::size_t size() const noexcept { return this->parts_.all.size(); }

  /// One of the layers, to read and to change in place: see `Composite`. \param k  its number, from 0 on
  /// \throws InvalidArgument if there is none of that number
  [[nodiscard]] Layer& layer(std::size_t k) & {
    this->expect_changes();
    return this->parts_.all[checked(k)].layer;
  }
  /// The same layer, to read.
  [[nodiscard]] const Layer& layer(std::size_t k) const& { return this->parts_.all[checked(k)].layer; }
  [[nodiscard]] Layer layer(std::size_t k) const&& { return layer(k); }

 private:
  static std::vector<Layer> not_empty(std::vector<Layer> layers) {
    if (layers.empty()) detail::refuse("Stack: must have a layer, got none");
    return layers;
  }
  [[nodiscard]] std::size_t checked(std::size_t k) const {
    if (k >= size()) detail::refuse("Stack: there are ", size(), " layers, got number ", k);
    return k;
  }
};

}  // namespace elegans
