// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <tuple>
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

// mutate all: layer.bidirectional
/// Two layers, one of which reads the sequence backwards; their outputs side by side, step by step. For whole sequences
/// only: there is no `step`.
///
///     elegans::LTC<float> ahead(wiring, 3, {.seed = 1});
///     elegans::LTC<float> behind(wiring, 3, {.seed = 2});
///     elegans::Bidirectional model(ahead, behind);
///
/// Inputs, elapsed times and mask are all read backwards. Parameters are named `forward_layer.…` and
/// `backward_layer.…`; the state is (forward, backward) side by side. Mirrors `keras.layers.Bidirectional` with
/// `merge_mode="concat"`.
template <AnyLayer Layer>
class Bidirectional : public Composite<Bidirectional<Layer>, typename Layer::Scalar, Layer, Layer> {
  using Base = Composite<Bidirectional<Layer>, typename Layer::Scalar, Layer, Layer>;

 public:
  using Scalar = typename Layer::Scalar;
  using StateType = typename Base::StateType;
  using ContextType = Context<Scalar, Base::state_size_at_compile_time>;

  /// Two layers of the same inputs, each with parameters of its own.
  /// \throws InvalidArgument unless both have as many inputs, and both give every output or both the last only
  Bidirectional(Layer forward_layer, Layer backward_layer)
      : Base([](std::size_t k) { return std::string(k == 0 ? "forward_layer" : "backward_layer"); },
             std::move(forward_layer), std::move(backward_layer)) {
    if (ahead().input_dim() != behind().input_dim()) {
      detail::refuse("Bidirectional: both layers must have as many inputs, got ", ahead().input_dim(), " and ",
                     behind().input_dim());
    }
    if (ahead().return_sequences() != behind().return_sequences()) {
      detail::refuse("Bidirectional: either both layers must return sequences or none");
    }
  }

  [[nodiscard]] Index input_dim() const noexcept { return std::get<0>(layers_).input_dim(); }
  [[nodiscard]] Index output_dim() const noexcept {
    return std::get<0>(layers_).output_dim() + std::get<1>(layers_).output_dim();
  }
  [[nodiscard]] bool return_sequences() const noexcept { return std::get<0>(layers_).return_sequences(); }

  /// See `Rnn`.
  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x, const ContextType& context = {}) {
    prepare(x, context);
    merge(ahead()(x, std::get<0>(contexts_)), behind()(x_, std::get<1>(contexts_)));
    finish();
    return output_;
  }

  /// See `Rnn`.
  const Sequence<Scalar>& forward(const Sequence<Scalar>& x, const ContextType& context = {}) {
    prepare(x, context);
    merge(ahead().forward(x, std::get<0>(contexts_)), behind().forward(x_, std::get<1>(contexts_)));
    finish();
    this->forwarded_ = this;
    return output_;
  }

  /// (batch, state_size): where both ended.
  [[nodiscard]] const StateType& final_state() const noexcept { return this->final_state_; }

  /// See `Rnn`.
  void backward(const Sequence<Scalar>& d_output, const StateType* d_final_state = nullptr) {
    if (this->forwarded_ != this) detail::refuse("backward: call forward() first");
    detail::require_backward_shape(d_output, d_final_state, output_, this->state_size());
    if (d_final_state) this->split(*d_final_state);
    const Index first = ahead().output_dim();
    const Index steps = d_output.time();
    d_ahead_.resize(steps, d_output.batch(), first);
    d_behind_.resize(steps, d_output.batch(), d_output.features() - first);
    for (Index t = 0; t < steps; ++t) {
      d_ahead_.step(t) = d_output.step(t).leftCols(first);
      d_behind_.step(steps - 1 - t) = d_output.step(t).rightCols(d_behind_.features());
    }
    ahead().backward(d_ahead_, d_final_state ? &std::get<0>(this->states_) : nullptr);
    behind().backward(d_behind_, d_final_state ? &std::get<1>(this->states_) : nullptr);

    d_input_.resize(this->time_, this->batch_, input_dim());
    for (Index t = 0; t < this->time_; ++t) {
      d_input_.step(t) = ahead().input_gradient().step(t) + behind().input_gradient().step(this->time_ - 1 - t);
    }
    this->d_timespans_.resize(this->time_ * this->batch_);
    ArrayView<Scalar> d_timespans(this->d_timespans_.data(), this->time_, this->batch_);
    if constexpr (requires { ahead().timespans_gradient(); }) {
      d_timespans = ahead().timespans_gradient() + behind().timespans_gradient().colwise().reverse();
    } else {
      d_timespans.setZero();
    }
    std::get<0>(this->states_) = ahead().initial_state_gradient();
    std::get<1>(this->states_) = behind().initial_state_gradient();
    this->d_initial_state_.resize(this->batch_);
    this->join(this->d_initial_state_);
    this->gather_gradient();
  }

  /// (time, batch, input_dim)
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const noexcept { return d_input_; }
  /// (batch, state_size)
  [[nodiscard]] const StateType& initial_state_gradient() const noexcept { return this->d_initial_state_; }
  /// (time, batch)
  [[nodiscard]] ConstArrayView<Scalar> timespans_gradient() const noexcept {
    return {this->d_timespans_.data(), this->time_, this->batch_};
  }

  [[nodiscard]] std::vector<SummaryRow> summary_rows() const {
    return {{"bidirectional (Bidirectional)", detail::output_shape(*this), this->parameters_.size()}};
  }
  /// A table as Keras prints it.
  [[nodiscard]] std::string summary() const { return summary_table(summary_rows(), sizeof(Scalar)); }

 private:
  using Base::contexts_;
  using Base::layers_;

  [[nodiscard]] Layer& ahead() noexcept { return std::get<0>(layers_); }
  [[nodiscard]] Layer& behind() noexcept { return std::get<1>(layers_); }

  void prepare(const Sequence<Scalar>& x, const ContextType& context) {
    detail::require_forward_shape(x, context, input_dim(), this->state_size());
    this->time_ = x.time();
    this->batch_ = x.batch();
    this->forwarded_ = nullptr;
    x_.resize(x.time(), x.batch(), x.features());
    for (Index t = 0; t < x.time(); ++t) x_.step(x.time() - 1 - t) = x.step(t);
    auto& [of_ahead, of_behind] = contexts_;
    of_ahead.timespans = context.timespans;
    of_ahead.mask = context.mask;
    of_behind.timespans = context.timespans.reversed();
    of_behind.mask = context.mask.reversed();
    if (context.initial_state) {
      this->split(*context.initial_state);
      of_ahead.initial_state = std::get<0>(this->states_);
      of_behind.initial_state = std::get<1>(this->states_);
    } else {
      of_ahead.initial_state.reset();
      of_behind.initial_state.reset();
    }
  }

  void merge(const Sequence<Scalar>& of_ahead, const Sequence<Scalar>& of_behind) {
    output_.resize(of_ahead.time(), of_ahead.batch(), output_dim());
    for (Index t = 0; t < of_ahead.time(); ++t) {
      output_.step(t) << of_ahead.step(t), of_behind.step(of_ahead.time() - 1 - t);
    }
  }

  void finish() {
    std::get<0>(this->states_) = ahead().final_state();
    std::get<1>(this->states_) = behind().final_state();
    this->final_state_.resize(this->batch_);
    this->join(this->final_state_);
  }

  Sequence<Scalar> x_;  // backwards
  Sequence<Scalar> output_, d_ahead_, d_behind_, d_input_;
};

}  // namespace elegans
