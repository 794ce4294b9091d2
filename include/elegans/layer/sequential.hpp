// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/layer/composite.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/shapes.hpp>
#include <elegans/layer/summary.hpp>

namespace elegans {

// mutate all: layer.sequential
/// Layers one after the other, trained as one.
///
///     elegans::Sequential model(elegans::Dense<float>(16, 3, {.activation = elegans::Activation::tanh}),
///                               elegans::LTC<float>(elegans::AutoNCP(16, 4), 16),
///                               elegans::Dense<float>(1, 4));
///
/// Parameters are named by the layer's number: `0.weight`, `1.gleak`, … The state is the layers' states side by side.
/// Elapsed times and mask go to every layer, up to the first that gives its last output only: what follows it sees a
/// sequence of one step, of elapsed time 1. Mirrors `torch.nn.Sequential` and `keras.Sequential`.
template <AnyLayer First, AnyLayer... Rest>
class Sequential : public Composite<Sequential<First, Rest...>, typename First::Scalar, First, Rest...> {
  using Base = Composite<Sequential<First, Rest...>, typename First::Scalar, First, Rest...>;

 public:
  static_assert((std::is_same_v<typename First::Scalar, typename Rest::Scalar> && ...),
                "elegans::Sequential: all layers must be of one scalar, float or double");

  using Scalar = typename First::Scalar;
  using StateType = typename Base::StateType;
  using ContextType = Context<Scalar, Base::state_size_at_compile_time>;

  /// Layers one after the other: the outputs of one are the inputs of the next.
  /// \throws InvalidArgument if a layer has not as many inputs as the one before it has outputs
  explicit Sequential(First first, Rest... rest)
      : Base([](std::size_t k) { return std::to_string(k); }, std::move(first), std::move(rest)...) {
    Index outputs = input_dim();
    this->for_each([&](const auto& layer, std::size_t k) {
      if (layer.input_dim() != outputs) {
        detail::refuse("Sequential: layer ", k, " must have input_dim ", outputs, ", the outputs of layer ", k - 1,
                       ", got ", layer.input_dim());
      }
      outputs = layer.output_dim();
      whole_[k] = return_sequences_;
      return_sequences_ = return_sequences_ && layer.return_sequences();
    });
  }

  [[nodiscard]] Index input_dim() const noexcept { return std::get<0>(layers_).input_dim(); }
  [[nodiscard]] Index output_dim() const noexcept { return std::get<sizeof...(Rest)>(layers_).output_dim(); }
  [[nodiscard]] bool return_sequences() const noexcept { return return_sequences_; }

  /// Advances a state by one step through all layers; see `Rnn::step`.
  /// \param elapsed  one time for all streams, or one for each
  template <typename Derived, int Batch, typename Elapsed = Scalar>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Derived>& x,
                              State<Scalar, Base::state_size_at_compile_time, Batch>& state,
                              const Elapsed& elapsed = Elapsed(1)) {
    if (state.units() != this->state_size()) {
      detail::refuse("step: the state must be (batch, ", this->state_size(), "), got (", state.batch(), ", ",
                     state.units(), ")");
    }
    this->split(state);
    const auto result = step_from<0>(x.derived(), elapsed);
    this->join(state);
    return result;
  }

  /// See `Rnn`.
  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x, const ContextType& context = {}) {
    prepare(x, context);
    Sequence<Scalar> result = run_from<0>(x);
    finish(x);
    return result;
  }

  /// See `Rnn`.
  const Sequence<Scalar>& forward(const Sequence<Scalar>& x, const ContextType& context = {}) {
    prepare(x, context);
    const Sequence<Scalar>* values = &x;
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      ((values = &std::get<K>(layers_).forward(*values, std::get<K>(contexts_))), ...);
    }(std::make_index_sequence<Base::count>{});
    finish(x);
    this->forwarded_ = this;
    return *values;
  }

  /// (batch, state_size): where the last sequence ended.
  [[nodiscard]] const StateType& final_state() const noexcept { return this->final_state_; }

  /// See `Rnn`.
  void backward(const Sequence<Scalar>& d_output, const StateType* d_final_state = nullptr) {
    if (this->forwarded_ != this) detail::refuse("backward: call forward() first");
    if (d_final_state) {
      detail::require_state_shape("backward: d_final_state", *d_final_state, this->batch_, this->state_size());
      this->split(*d_final_state);
    }
    this->d_timespans_.resize(this->time_ * this->batch_);
    VectorView<Scalar> d_timespans(this->d_timespans_.data(), this->d_timespans_.size());
    d_timespans.setZero();
    const Sequence<Scalar>* d = &d_output;
    back_from<sizeof...(Rest)>(d, d_final_state != nullptr, d_timespans);
    this->gather_gradient();
    this->d_initial_state_.resize(this->batch_);
    this->join(this->d_initial_state_);
  }

  /// (time, batch, input_dim)
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const noexcept {
    return std::get<0>(layers_).input_gradient();
  }
  /// (batch, state_size)
  [[nodiscard]] const StateType& initial_state_gradient() const noexcept { return this->d_initial_state_; }
  /// (time, batch): with respect to each elapsed time, of all layers together.
  [[nodiscard]] ConstArrayView<Scalar> timespans_gradient() const noexcept {
    return {this->d_timespans_.data(), this->time_, this->batch_};
  }

  [[nodiscard]] std::vector<SummaryRow> summary_rows() const {
    std::vector<SummaryRow> rows;
    const auto add = [&](const auto& layer) {
      for (SummaryRow& row : summary_rows_of(layer)) rows.push_back(std::move(row));
    };
    std::apply([&](const auto&... layers) { (add(layers), ...); }, layers_);
    return rows;
  }
  /// A table as Keras prints it, a line a layer.
  [[nodiscard]] std::string summary() const { return summary_table(summary_rows(), sizeof(Scalar)); }

 private:
  using Base::contexts_;
  using Base::layers_;

  template <std::size_t K, typename Input, typename Elapsed>
  ConstArrayView<Scalar> step_from(const Input& x, const Elapsed& elapsed) {
    const ConstArrayView<Scalar> y = std::get<K>(layers_).step(x, std::get<K>(this->states_), elapsed);
    if constexpr (K < sizeof...(Rest)) {
      return step_from<K + 1>(y, elapsed);
    } else {
      return y;
    }
  }

  template <std::size_t K>
  Sequence<Scalar> run_from(const Sequence<Scalar>& x) {
    Sequence<Scalar> y = std::get<K>(layers_)(x, std::get<K>(contexts_));
    if constexpr (K < sizeof...(Rest)) {
      return run_from<K + 1>(y);
    } else {
      return y;
    }
  }

  template <std::size_t K>
  void back_from(const Sequence<Scalar>*& d, bool final_state, VectorView<Scalar>& d_timespans) {
    auto& layer = std::get<K>(layers_);
    layer.backward(*d, final_state ? &std::get<K>(this->states_) : nullptr);
    d = &layer.input_gradient();
    std::get<K>(this->states_) = layer.initial_state_gradient();
    if constexpr (requires { layer.timespans_gradient(); }) {
      if (whole_[K]) d_timespans += layer.timespans_gradient().reshaped();
    }
    if constexpr (K > 0) back_from<K - 1>(d, final_state, d_timespans);
  }

  /// Gives each layer its part of the context.
  void prepare(const Sequence<Scalar>& x, const ContextType& context) {
    if (context.initial_state) {
      detail::require_state_shape("forward: the initial state", *context.initial_state, x.batch(), this->state_size());
      this->split(*context.initial_state);
    }
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      const auto give = [&](auto& part, const auto& state, bool whole) {
        if (whole) {
          part.timespans = context.timespans;
          part.mask = context.mask;
        }
        if (context.initial_state) {
          part.initial_state = state;
        } else {
          part.initial_state.reset();
        }
      };
      (give(std::get<K>(contexts_), std::get<K>(this->states_), whole_[K]), ...);
    }(std::make_index_sequence<Base::count>{});
  }

  void finish(const Sequence<Scalar>& x) {
    this->time_ = x.time();
    this->batch_ = x.batch();
    this->forwarded_ = nullptr;
    [&]<std::size_t... K>(std::index_sequence<K...>) {
      ((std::get<K>(this->states_) = std::get<K>(layers_).final_state()), ...);
    }(std::make_index_sequence<Base::count>{});
    this->final_state_.resize(x.batch());
    this->join(this->final_state_);
  }

  std::array<bool, 1 + sizeof...(Rest)> whole_{};  // of a layer: it sees every step
  bool return_sequences_ = true;
};

}  // namespace elegans
