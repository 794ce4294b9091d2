// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include <elegans/core/context.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/parameterized.hpp>
#include <elegans/system/executor.hpp>

namespace elegans {

/// A layer made of layers: their parameters one after the other in one flat vector, and their states side by side.
///
/// The layers keep their own copies of their parameters, which their kernels pack; a change goes through here to all.
template <typename Derived, typename ScalarType, typename... Layers>
class Composite : public Parameterized<Derived, ScalarType> {
  friend Parameterized<Derived, ScalarType>;

 public:
  using Scalar = ScalarType;
  static constexpr int state_size_at_compile_time = detail::add_sizes(Layers::state_size_at_compile_time...);
  using StateType = State<Scalar, state_size_at_compile_time>;

  [[nodiscard]] Index state_size() const noexcept { return state_size_; }
  /// Name, shape and place of each tensor in `parameters()` and `gradient()`.
  [[nodiscard]] const ParameterList<>& parameter_list() const& noexcept { return parameter_list_; }
  [[nodiscard]] ParameterList<> parameter_list() const&& { return parameter_list(); }

  /// The state before the first step, for a single stream: zeros.
  [[nodiscard]] auto initial_state() const {
    return State<Scalar, state_size_at_compile_time, state_size_at_compile_time == Dynamic ? Dynamic : 1>(1,
                                                                                                          state_size_);
  }
  /// The same for a batch of streams.
  [[nodiscard]] StateType initial_state(Index batch) const { return StateType(batch, state_size_); }

  /// See `Rnn`.
  void begin_epoch(int epoch) {
    for_each([&](auto& layer, std::size_t) {
      if constexpr (requires { layer.begin_epoch(epoch); }) layer.begin_epoch(epoch);
    });
  }

  /// See `Rnn`. Layers that cannot use it do without.
  void set_executor(const std::shared_ptr<Executor>& executor) {
    for_each([&](auto& layer, std::size_t) {
      if constexpr (requires { layer.set_executor(executor); }) layer.set_executor(executor);
    });
    forwarded_ = nullptr;
  }

  /// The number of layers.
  static constexpr std::size_t layer_count = sizeof...(Layers);
  /// One of the layers, from 0 on.
  template <std::size_t K>
  [[nodiscard]] const auto& layer() const& noexcept {
    return std::get<K>(layers_);
  }
  template <std::size_t K>
  [[nodiscard]] auto layer() const&& {
    return layer<K>();
  }

 protected:
  using Base = Parameterized<Derived, ScalarType>;
  using Base::gradient_;
  using Base::parameters_;
  static constexpr std::size_t count = sizeof...(Layers);

  /// \param names  of each layer, before its tensors' names
  template <typename Names>
  Composite(Names names, Layers... layers) : layers_(std::move(layers)...) {
    for_each([&](auto& layer, std::size_t k) {
      for (const Parameter& entry : layer.parameter_list()) {
        parameter_list_.add(names(k) + "." + entry.name, entry.rows, entry.columns);
      }
      state_size_ += layer.state_size();
    });
    [this]<std::size_t... K>(std::index_sequence<K...>) {
      ((std::get<K>(states_) = std::get<K>(layers_).initial_state(Index{0})), ...);
    }(std::make_index_sequence<count>{});
    final_state_ = d_initial_state_ = initial_state(Index{0});
    parameters_.resize(parameter_list_.count());
    gather(parameters_, [](const auto& layer) { return layer.parameters(); });
  }

  /// visit(layer, number)
  template <typename Visit>
  void for_each(Visit visit) {
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      (visit(std::get<K>(layers_), K), ...);
    }(std::make_index_sequence<count>{});
  }

  /// Joins a flat vector of each layer.
  template <typename Of>
  void gather(Buffer<Scalar>& to, Of of) {
    Index offset = 0;
    for_each([&](auto& layer, std::size_t) {
      const auto values = of(layer);
      VectorView<Scalar>(to.data() + offset, values.size()) = values;
      offset += values.size();
    });
  }

  void parameters_changed() {
    Index offset = 0;
    for_each([&](auto& layer, std::size_t) {
      const Index size = layer.parameters().size();
      layer.update([&](auto all) { all = ConstVectorView<Scalar>(parameters_.data() + offset, size); });
      offset += size;
    });
    gather(parameters_, [](const auto& layer) { return layer.parameters(); });  // after their constraints
    forwarded_ = nullptr;
  }

  void gather_gradient() {
    gradient_.resize(parameters_.size());
    gather(gradient_, [](const auto& layer) { return layer.gradient(); });
  }

  /// Hands each layer its part of a state.
  template <typename AnyState>
  void split(const AnyState& state) {
    Index first = 0;
    for_each_state([&](auto& part) {
      part.resize(state.batch());
      part.array() = state.array().middleCols(first, part.units());
      first += part.units();
    });
  }
  template <typename AnyState>
  void join(AnyState& state) {
    Index first = 0;
    for_each_state([&](const auto& part) {
      state.array().middleCols(first, part.units()) = part.array();
      first += part.units();
    });
  }
  template <typename Visit>
  void for_each_state(Visit visit) {
    std::apply([&](auto&... parts) { (visit(parts), ...); }, states_);
  }

  std::tuple<Layers...> layers_;
  std::tuple<State<Scalar, Layers::state_size_at_compile_time>...> states_;  // room to work
  std::tuple<Context<Scalar, Layers::state_size_at_compile_time>...> contexts_;
  ParameterList<> parameter_list_;
  Index state_size_ = 0;

  // Of the last sequence. The layers point at each other's outputs, so a copy of this object must not go back through
  // what the original went forward.
  const void* forwarded_ = nullptr;
  StateType final_state_;
  StateType d_initial_state_;
  Buffer<Scalar> d_timespans_;
  Index time_ = 0;
  Index batch_ = 0;
};

}  // namespace elegans
