// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <elegans/layer/chain.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/parts.hpp>

namespace elegans {

/// Layers one after the other, trained as one.
///
///     elegans::Sequential model(elegans::Dense<float>(16, 3, {.activation = elegans::Activation::tanh}),
///                               elegans::LTC<float>(elegans::AutoNCP(16, 4), 16),
///                               elegans::Dense<float>(1, 4));
///
/// Parameters are named by the number of their layer: `0.weight`, `1.gleak`, … The state holds the layers' states side
/// by side. Every layer gets the elapsed times and the mask, up to the first layer that returns its last output only.
/// The layers behind that one see a sequence of a single step, with an elapsed time of 1. Mirrors `torch.nn.Sequential`
/// and `keras.Sequential`.
///
/// If all layers have fixed sizes, so has the stack, and a step uses no heap. If the number of layers or their types
/// are known at run time only, see `Stack`.
template <AnyLayer First, AnyLayer... Rest>
class Sequential : public Chain<Sequential<First, Rest...>, typename First::Scalar, detail::PartTuple<First, Rest...>> {
  using Base = Chain<Sequential<First, Rest...>, typename First::Scalar, detail::PartTuple<First, Rest...>>;

 public:
  static_assert((std::is_same_v<typename First::Scalar, typename Rest::Scalar> && ...),
                "elegans::Sequential: all layers must be of one scalar, float or double");

  /// True if no layer reads steps that come later.
  static constexpr bool is_causal = CausalLayer<First> && (CausalLayer<Rest> && ...);
  /// The number of layers.
  static constexpr std::size_t layer_count = 1 + sizeof...(Rest);

  /// Layers one after the other: the outputs of one are the inputs of the next.
  /// \throws InvalidArgument if a layer's input_dim is not the output_dim of the layer before it
  explicit Sequential(First first, Rest... rest)
      : Base(detail::PartTuple<First, Rest...>(std::move(first), std::move(rest)...)) {}

  /// One of the layers, to read and to change in place: see `Composite`. \tparam K  its number, from 0 on
  template <std::size_t K>
  [[nodiscard]] auto& layer() & noexcept {
    this->expect_changes();
    return std::get<K>(this->parts_.all).layer;
  }
  /// The same layer, to read.
  template <std::size_t K>
  [[nodiscard]] const auto& layer() const& noexcept {
    return std::get<K>(this->parts_.all).layer;
  }
  template <std::size_t K>
  [[nodiscard]] auto layer() const&& {
    return layer<K>();
  }
};

}  // namespace elegans
