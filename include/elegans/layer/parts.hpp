// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/context.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/concepts.hpp>

namespace elegans::detail {

/// The sizes of a layer, by which a stack notices that another layer was put into its place.
struct LayerSizes {
  Index inputs, outputs, state, parameters;
  bool return_sequences;

  template <typename Layer>
  explicit LayerSizes(const Layer& layer)
      : inputs(layer.input_dim()),
        outputs(layer.output_dim()),
        state(layer.state_size()),
        parameters(layer.parameter_list().count()),
        return_sequences(layer.return_sequences()) {}
  friend bool operator==(const LayerSizes&, const LayerSizes&) = default;
};

/// A layer of a stack, with its columns of the state and its context in the pass that is under way.
template <typename LayerType>
struct Part {
  using Layer = LayerType;
  using Scalar = typename Layer::Scalar;
  static constexpr int state_size = Layer::state_size_at_compile_time;

  explicit Part(Layer own)
      : layer(std::move(own)), sizes(layer), state(0, layer.state_size()), single_state(1, layer.state_size()) {}

  Layer layer;
  LayerSizes sizes;
  State<Scalar, state_size> state;
  State<Scalar, state_size, state_size == Dynamic ? Dynamic : 1> single_state;  ///< in a step of a single stream
  Context<Scalar, state_size> context;
  bool sees_every_step = true;  ///< false behind a layer that returns its last output only
};

/// Number of parameters of a layer if its type fixes it, or Dynamic.
template <typename Layer>
constexpr int parameter_capacity_of() {
  if constexpr (requires { Layer::parameter_capacity; }) return Layer::parameter_capacity;
  return Dynamic;
}
/// Number of inputs of a layer if its type fixes it, or Dynamic.
template <typename Layer>
constexpr int inputs_of() {
  if constexpr (requires { Layer::inputs_at_compile_time; }) return Layer::inputs_at_compile_time;
  return Dynamic;
}
/// Room in a layer's list of parameters if its type fixes their number, or Dynamic.
template <typename Layer>
constexpr int list_capacity_of() {
  if constexpr (parameter_capacity_of<Layer>() != Dynamic) {
    return []<int Capacity>(const ParameterList<Capacity>*) {
      return Capacity;
    }(static_cast<std::remove_cvref_t<decltype(std::declval<const Layer&>().parameter_list())>*>(nullptr));
  }
  return Dynamic;
}

/// The layers of a stack whose types are known at compile time.
template <typename... Layers>
struct PartTuple {
  static constexpr int state_size_at_compile_time = add_sizes(Layers::state_size_at_compile_time...);
  static constexpr int parameter_capacity = add_sizes(parameter_capacity_of<Layers>()...);
  static constexpr int list_capacity = add_sizes(list_capacity_of<Layers>()...);
  static constexpr int inputs_at_compile_time = inputs_of<std::tuple_element_t<0, std::tuple<Layers...>>>();
  /// True if every layer can run step by step.
  static constexpr bool has_step() { return (LayerWithStep<Layers> && ...); }

  // Each part is made in place: g++ 12 warns about a moved part, whose context may be empty.
  explicit PartTuple(Layers... layers) : all(std::move(layers)...) {}

  [[nodiscard]] auto& front() noexcept { return std::get<0>(all); }
  [[nodiscard]] const auto& front() const noexcept { return std::get<0>(all); }
  [[nodiscard]] const auto& back() const noexcept { return std::get<sizeof...(Layers) - 1>(all); }

  /// Calls visit(part) for each layer, the first layer first.
  template <typename Visit>
  void for_each(Visit visit) {
    std::apply([&](auto&... parts) { (visit(parts), ...); }, all);
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    std::apply([&](const auto&... parts) { (visit(parts), ...); }, all);
  }
  /// The same, the last layer first.
  template <typename Visit>
  void for_each_backwards(Visit visit) {
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      (visit(std::get<sizeof...(Layers) - 1 - K>(all)), ...);
    }(std::index_sequence_for<Layers...>{});
  }

  std::tuple<Part<Layers>...> all;
};

/// The layers of a stack that has any number of layers of one type.
template <typename Layer>
struct PartVector {
  static constexpr int state_size_at_compile_time = Dynamic;
  static constexpr int parameter_capacity = Dynamic;
  static constexpr int list_capacity = Dynamic;
  static constexpr int inputs_at_compile_time = Dynamic;
  static constexpr bool has_step() { return LayerWithStep<Layer>; }

  explicit PartVector(std::vector<Layer> layers) {
    all.reserve(layers.size());
    for (Layer& layer : layers) all.emplace_back(std::move(layer));
  }
  PartVector(const PartVector&) = default;
  PartVector(PartVector&&) noexcept = default;
  PartVector& operator=(const PartVector&) = default;
  /// Layers that are moved to themselves stay.
  PartVector& operator=(PartVector&& other) noexcept {
    all = std::exchange(other.all, {});
    return *this;
  }
  ~PartVector() = default;

  [[nodiscard]] auto& front() { return all.front(); }
  [[nodiscard]] const auto& front() const { return all.front(); }
  [[nodiscard]] const auto& back() const { return all.back(); }

  template <typename Visit>
  void for_each(Visit visit) {
    for (auto& part : all) visit(part);
  }
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& part : all) visit(part);
  }
  template <typename Visit>
  void for_each_backwards(Visit visit) {
    for (std::size_t k = all.size(); k-- > 0;) visit(all[k]);
  }

  std::vector<Part<Layer>> all;
};

}  // namespace elegans::detail
