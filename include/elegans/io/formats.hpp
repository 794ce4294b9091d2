// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <variant>

#include <elegans/io/format/cfc.hpp>
#include <elegans/io/format/dense.hpp>
#include <elegans/io/format/dropout.hpp>
#include <elegans/io/format/gated.hpp>
#include <elegans/io/format/layer_norm.hpp>
#include <elegans/io/format/ltc.hpp>
#include <elegans/io/format/memory.hpp>
#include <elegans/layer/layer_variant.hpp>
#include <elegans/model/cfc.hpp>
#include <elegans/model/ltc.hpp>
#include <elegans/model/mixed.hpp>

namespace elegans {

namespace detail {

/// A variant of those types, each of them once.
template <typename Variant, typename... Types>
struct VariantOf {
  using Type = Variant;
};
template <typename... Before, typename Next, typename... Types>
struct VariantOf<std::variant<Before...>, Next, Types...> {
  static constexpr bool is_new = !(std::same_as<Before, Next> || ...);
  using Type = typename VariantOf<std::conditional_t<is_new, std::variant<Before..., Next>, std::variant<Before...>>,
                                  Types...>::Type;
};

template <typename... Formats>
struct FormatList {
  using AnyLayer = LayerVariant<typename Formats::Model...>;
  using AnyOptions = typename VariantOf<std::variant<>, typename Formats::Options...>::Type;

  /// Calls visit(index, format), an empty object of the format's type, until one returns true.
  /// \return false if none did
  template <typename Visit>
  static bool find(Visit&& visit) {
    std::size_t index = 0;
    return (visit(index++, Formats()) || ...);
  }
};

/// The formats of all cells and layers that a file may hold. A new one adds a line here. The first format that
/// recognizes a tensor wins: a cell with memory must come before the same cell without.
template <typename Scalar>
using ModelFormats = FormatList<ModelFormat<MemoryCell<LTCCell<Scalar>>>,  //
                                ModelFormat<MemoryCell<CfCCell<Scalar>>>,  //
                                ModelFormat<LTCCell<Scalar>>,              //
                                ModelFormat<CfCCell<Scalar>>,              //
                                ModelFormat<LSTMCell<Scalar>>,             //
                                ModelFormat<GRUCell<Scalar>>,              //
                                ModelFormat<Dense<Scalar>>,                //
                                ModelFormat<LayerNorm<Scalar>>,            //
                                ModelFormat<Dropout<Scalar>>>;

}  // namespace detail

/// A stack from a file, or a layer of one: a `LayerVariant` of every layer that has a format. `visit` it for the layer
/// in its own type.
template <typename Scalar>
using AnyStack = typename detail::ModelFormats<Scalar>::AnyLayer;

/// A model whose kind is known at run time only: `std::visit` it. All that is not a model of ncps is an `AnyStack`.
template <typename Scalar>
using AnyModel = std::variant<MixedLTC<Scalar>, MixedCfC<Scalar>, LTC<Scalar>, CfC<Scalar>, AnyStack<Scalar>>;

/// The options of a layer whose kind is known at run time only: `LTCOptions`, `CfCOptions`, `GatedOptions` (of an LSTM
/// or a GRU), `DenseOptions`, `LayerNormOptions` or `DropoutOptions`.
using AnyModelOptions = detail::ModelFormats<double>::AnyOptions;

}  // namespace elegans
