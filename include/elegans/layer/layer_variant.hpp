// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/bidirectional.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/shapes.hpp>
#include <elegans/layer/stack.hpp>
#include <elegans/layer/summary.hpp>
#include <elegans/system/executor.hpp>

namespace elegans {

namespace detail {

struct StackOf {
  template <typename Layer>
  using Type = Stack<Layer>;
};
struct BidirectionalOf {
  template <typename Layer>
  using Type = Bidirectional<Layer>;
};

/// A layer on the heap that is made of layers of the type that holds it. A value: copies are deep. Names the layer's
/// type in its functions only, because it is a member of a type that is not complete yet.
template <typename Of, typename Layer>
class Nested {
 public:
  template <typename Value>
  explicit Nested(Value value)
      : value_(new Value(std::move(value)), [](void* v) { delete static_cast<Value*>(v); }),
        copy_([](const void* v) -> void* { return new Value(*static_cast<const Value*>(v)); }) {}
  Nested(const Nested& other)
      : value_(other.value_ ? other.copy_(other.value_.get()) : nullptr, other.value_.get_deleter()),
        copy_(other.copy_) {}
  Nested(Nested&&) noexcept = default;
  Nested& operator=(const Nested& other) { return *this = Nested(other); }
  Nested& operator=(Nested&&) noexcept = default;
  ~Nested() = default;

  /// \throws InvalidArgument if it was moved from
  [[nodiscard]] auto& get() {
    require_value();
    return *static_cast<typename Of::template Type<Layer>*>(value_.get());
  }
  [[nodiscard]] const auto& get() const {
    require_value();
    return *static_cast<const typename Of::template Type<Layer>*>(value_.get());
  }

 private:
  void require_value() const {
    if (!value_) refuse("the model was moved from: it has no layers");
  }

  std::unique_ptr<void, void (*)(void*)> value_;
  void* (*copy_)(const void*);
};

}  // namespace detail

// mutate all: layer.variant
/// A layer whose type is known at run time only: one of some types, or a `Stack` or a `Bidirectional` of such layers.
/// It is a layer itself, so it runs, trains, and stands in stacks. `load_model` makes it of a file's stack.
///
///     elegans::LayerVariant<elegans::LTC<float>, elegans::Dense<float>> layer(elegans::Dense<float>(1, 4));
///     layer.visit([](auto& own) { std::cout << own.parameters().size(); });
///
/// Only the functions that a program calls are compiled, each once per type.
///
/// \tparam First, Rest  the types: layers of one scalar, with a state of any size or of none
template <AnyLayer First, AnyLayer... Rest>
class LayerVariant {
  template <typename T>
  static constexpr bool is_one = std::same_as<T, First> || (std::same_as<T, Rest> || ...);
  using StackType = detail::Nested<detail::StackOf, LayerVariant>;
  using BidirectionalType = detail::Nested<detail::BidirectionalOf, LayerVariant>;

 public:
  using Scalar = typename First::Scalar;
  static constexpr int state_size_at_compile_time = Dynamic;
  using StateType = State<Scalar>;
  using ContextType = Context<Scalar>;

  /// A layer of one of the types.
  template <typename Layer>
    requires(is_one<Layer>)
  LayerVariant(Layer layer) : layer_(std::move(layer)) {
    make_list();
  }
  /// Layers one after the other. \throws InvalidArgument as `Stack`
  explicit LayerVariant(std::vector<LayerVariant> layers) : layer_(StackType(Stack<LayerVariant>(std::move(layers)))) {
    make_list();
  }
  /// Two layers side by side. \throws InvalidArgument as `Bidirectional`
  LayerVariant(LayerVariant forward_layer, LayerVariant backward_layer)
      : layer_(BidirectionalType(Bidirectional<LayerVariant>(std::move(forward_layer), std::move(backward_layer)))) {
    make_list();
  }

  /// Calls visit(layer) with the layer in its own type. What is changed in the layer is changed in this.
  template <typename Visit>
  decltype(auto) visit(Visit&& visit) & {
    return std::visit([&](auto& held) -> decltype(auto) { return visit(layer_in(held)); }, layer_);
  }
  /// The same with a const layer.
  template <typename Visit>
  decltype(auto) visit(Visit&& visit) const& {
    return std::visit([&](const auto& held) -> decltype(auto) { return visit(layer_in(held)); }, layer_);
  }

  [[nodiscard]] Index input_dim() const {
    return visit([](const auto& layer) -> Index { return layer.input_dim(); });
  }
  [[nodiscard]] Index output_dim() const {
    return visit([](const auto& layer) -> Index { return layer.output_dim(); });
  }
  [[nodiscard]] Index state_size() const {
    return visit([](const auto& layer) -> Index { return layer.state_size(); });
  }
  [[nodiscard]] bool return_sequences() const {
    return visit([](const auto& layer) -> bool { return layer.return_sequences(); });
  }
  [[nodiscard]] StateType initial_state(Index batch = 1) const { return {batch, state_size()}; }
  /// The name of a layer that reads later steps, or "" if there is none.
  [[nodiscard]] std::string acausal_layer() const {
    return visit([](const auto& layer) { return detail::acausal_layer_of(layer); });
  }
  [[nodiscard]] std::vector<SummaryRow> summary_rows() const {
    return visit([](const auto& layer) { return summary_rows_of(layer); });
  }
  /// A table as Keras prints it.
  [[nodiscard]] std::string summary() const { return summary_table(summary_rows(), sizeof(Scalar)); }

  // --- parameters: see `Parameterized` ------------------------------------------------------------------------------

  [[nodiscard]] const ParameterList<>& parameter_list() const& noexcept { return list_; }
  [[nodiscard]] ParameterList<> parameter_list() const&& { return list_; }
  [[nodiscard]] ConstVectorView<Scalar> parameters() const& {
    return visit([](const auto& layer) -> ConstVectorView<Scalar> { return layer.parameters(); });
  }
  [[nodiscard]] OwnedArray<Scalar, Dynamic, 1> parameters() const&& { return parameters(); }
  [[nodiscard]] ConstVectorView<Scalar> gradient() const& {
    return visit([](const auto& layer) -> ConstVectorView<Scalar> { return layer.gradient(); });
  }
  [[nodiscard]] OwnedArray<Scalar, Dynamic, 1> gradient() const&& { return gradient(); }
  [[nodiscard]] ConstArrayView<Scalar> parameter(std::string_view name) const& {
    return visit([&](const auto& layer) -> ConstArrayView<Scalar> { return layer.parameter(name); });
  }
  [[nodiscard]] OwnedArray<Scalar> parameter(std::string_view name) const&& { return parameter(name); }
  [[nodiscard]] ConstArrayView<Scalar> gradient(std::string_view name) const& {
    return visit([&](const auto& layer) -> ConstArrayView<Scalar> { return layer.gradient(name); });
  }
  [[nodiscard]] OwnedArray<Scalar> gradient(std::string_view name) const&& { return gradient(name); }
  template <typename Change>
  void update(Change&& change) {
    visit([&](auto& layer) { layer.update(change); });
  }
  template <typename Change>
  void update_unconstrained(Change&& change) {
    visit([&](auto& layer) {
      if constexpr (requires { layer.update_unconstrained(change); }) {
        layer.update_unconstrained(change);
      } else {
        layer.update(change);
      }
    });
  }
  template <typename Values>
  void set_parameters(const Eigen::DenseBase<Values>& values) {
    visit([&](auto& layer) { layer.set_parameters(values); });
  }
  template <typename Values>
  void set_parameter(std::string_view name, const Eigen::DenseBase<Values>& value) {
    visit([&](auto& layer) { layer.set_parameter(name, value); });
  }

  // --- running: see `Rnn` -------------------------------------------------------------------------------------------

  void begin_pass(int epoch, int passes, Index first_sample = 0) {
    visit([&](auto& layer) {
      if constexpr (requires { layer.begin_pass(epoch, passes, first_sample); }) {
        layer.begin_pass(epoch, passes, first_sample);
      }
    });
  }
  void set_executor(const std::shared_ptr<Executor>& executor) {
    visit([&](auto& layer) {
      if constexpr (requires { layer.set_executor(executor); }) layer.set_executor(executor);
    });
  }

  /// See `Rnn`. \throws InvalidArgument also if the layer, or one within it, cannot run step by step
  template <typename Derived, int Batch, typename Elapsed = Scalar>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Derived>& x, State<Scalar, Dynamic, Batch>& state,
                              const Elapsed& elapsed = Elapsed(1)) & {
    return visit([&]<typename Layer>(Layer& layer) -> ConstArrayView<Scalar> {
      if constexpr (!CausalLayer<Layer>) {
        detail::refuse("step: ", summary_rows_of(layer).front().layer, " needs the whole sequence");
      } else if constexpr (Layer::state_size_at_compile_time == Dynamic) {
        return layer.step(x, state, elapsed);
      } else {
        if (state.units() != 0) detail::require_state_shape("step: the state", state, state.batch(), 0);
        State<Scalar, 0> none(state.batch(), 0);
        return layer.step(x, none, elapsed);
      }
    });
  }
  template <typename Derived>
  void step(const Eigen::DenseBase<Derived>&, ...) const& = delete;  // wrong state, const or temporary model

  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x, const ContextType& context = {});
  void operator()(const Sequence<Scalar>&, const ContextType& = {}) const = delete;  // the model is const
  const Sequence<Scalar>& forward(const Sequence<Scalar>& x, const ContextType& context = {}) &;
  void forward(const Sequence<Scalar>&, const ContextType& = {}) const& = delete;  // the model is const or temporary

  void backward(const Sequence<Scalar>& d_output, const StateType* d_final_state = nullptr);

  [[nodiscard]] const StateType& final_state() const& {
    return visit([&](const auto& layer) -> const StateType& { return as_dynamic(layer.final_state()); });
  }
  [[nodiscard]] StateType final_state() const&& { return final_state(); }
  [[nodiscard]] const StateType& initial_state_gradient() const& {
    return visit([&](const auto& layer) -> const StateType& { return as_dynamic(layer.initial_state_gradient()); });
  }
  [[nodiscard]] StateType initial_state_gradient() const&& { return initial_state_gradient(); }
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const& {
    return visit([](const auto& layer) -> const Sequence<Scalar>& { return layer.input_gradient(); });
  }
  [[nodiscard]] Sequence<Scalar> input_gradient() const&& { return input_gradient(); }
  /// See `Rnn`. Empty if the layer does not depend on the elapsed times.
  [[nodiscard]] ConstArrayView<Scalar> timespans_gradient() const& {
    return visit([](const auto& layer) -> ConstArrayView<Scalar> {
      if constexpr (requires { layer.timespans_gradient(); }) return layer.timespans_gradient();
      return {nullptr, 0, 0};
    });
  }
  [[nodiscard]] OwnedArray<Scalar> timespans_gradient() const&& { return timespans_gradient(); }

 private:
  template <typename Held>
  [[nodiscard]] static auto& layer_in(Held& held) {
    if constexpr (requires { held.get(); }) {
      return held.get();
    } else {
      return held;
    }
  }

  void make_list() {
    visit([&](const auto& layer) {
      for (const Parameter& entry : layer.parameter_list()) list_.add(entry.name, entry.rows, entry.columns);
    });
  }

  /// Calls run(layer, context) with the context in the type that the layer takes.
  template <typename Run>
  auto with_context(const Sequence<Scalar>& x, const ContextType& context, Run run) {
    return visit([&]<typename Layer>(Layer& layer) {
      if constexpr (Layer::state_size_at_compile_time == Dynamic) {
        return run(layer, context);
      } else {
        static_assert(Layer::state_size_at_compile_time == 0,
                      "elegans::LayerVariant: a layer must have a state of any size, or of none");
        if (context.initial_state) {
          detail::require_state_shape("forward: the initial state", *context.initial_state, x.batch(), 0);
        }
        stateless_context_.timespans = context.timespans;
        stateless_context_.mask = context.mask;
        return run(layer, stateless_context_);
      }
    });
  }

  // NOLINTNEXTLINE(bugprone-return-const-ref-from-parameter): the state belongs to the layer.
  [[nodiscard]] const StateType& as_dynamic(const StateType& state) const noexcept { return state; }
  [[nodiscard]] const StateType& as_dynamic(const State<Scalar, 0>& state) const {
    no_state_.resize(state.batch());
    return no_state_;
  }

  std::variant<First, Rest..., StackType, BidirectionalType> layer_;
  ParameterList<> list_;
  Context<Scalar, 0> stateless_context_;
  mutable StateType no_state_{0, 0};  // of a layer without a state, whose type is another
};

// These are outside of the class because a member that is defined inside is inline: see elegans/compiled.hpp.

template <AnyLayer First, AnyLayer... Rest>
Sequence<typename First::Scalar> LayerVariant<First, Rest...>::operator()(const Sequence<Scalar>& x,
                                                                          const ContextType& context) {
  return with_context(x, context, [&](auto& layer, const auto& own) { return layer(x, own); });
}

template <AnyLayer First, AnyLayer... Rest>
const Sequence<typename First::Scalar>& LayerVariant<First, Rest...>::forward(const Sequence<Scalar>& x,
                                                                              const ContextType& context) & {
  return *with_context(x, context, [&](auto& layer, const auto& own) { return &layer.forward(x, own); });
}

template <AnyLayer First, AnyLayer... Rest>
void LayerVariant<First, Rest...>::backward(const Sequence<Scalar>& d_output, const StateType* d_final_state) {
  visit([&]<typename Layer>(Layer& layer) {
    if constexpr (Layer::state_size_at_compile_time == Dynamic) {
      layer.backward(d_output, d_final_state);
    } else {
      if (d_final_state) {
        detail::require_state_shape("backward: d_final_state", *d_final_state, layer.final_state().batch(), 0);
      }
      layer.backward(d_output);
    }
  });
}

}  // namespace elegans
