// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/composite.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/summary.hpp>

namespace elegans {

// mutate all: layer.sequential
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
template <AnyLayer First, AnyLayer... Rest>
class Sequential : public Composite<Sequential<First, Rest...>, typename First::Scalar, First, Rest...> {
  using Base = Composite<Sequential<First, Rest...>, typename First::Scalar, First, Rest...>;

 public:
  static_assert((std::is_same_v<typename First::Scalar, typename Rest::Scalar> && ...),
                "elegans::Sequential: all layers must be of one scalar, float or double");

  using Scalar = typename First::Scalar;
  using StateType = typename Base::StateType;
  using ContextType = typename Base::ContextType;
  /// True if no layer reads steps that come later.
  static constexpr bool is_causal = CausalLayer<First> && (CausalLayer<Rest> && ...);

  /// Layers one after the other: the outputs of one are the inputs of the next.
  /// \throws InvalidArgument if a layer's input_dim is not the output_dim of the layer before it
  explicit Sequential(First first, Rest... rest)
      : Base([](std::size_t k) { return std::to_string(k); }, std::move(first), std::move(rest)...) {
    Index outputs = input_dim();
    std::size_t k = 0;
    this->for_each_part([&](auto& part) {
      if (part.layer.input_dim() != outputs) {
        detail::refuse("Sequential: layer ", k, " must have input_dim ", outputs, ", the outputs of layer ", k - 1,
                       ", got ", part.layer.input_dim());
      }
      outputs = part.layer.output_dim();
      part.sees_every_step = return_sequences_;
      return_sequences_ = return_sequences_ && part.layer.return_sequences();
      ++k;
    });
  }

  [[nodiscard]] Index input_dim() const noexcept { return std::get<0>(parts_).layer.input_dim(); }
  [[nodiscard]] Index output_dim() const noexcept { return std::get<sizeof...(Rest)>(parts_).layer.output_dim(); }
  [[nodiscard]] bool return_sequences() const noexcept { return return_sequences_; }

  /// Advances a state by one step through all layers; see `Rnn::step`.
  /// \param elapsed  one time for all streams, or one per stream
  template <typename Derived, int Batch, typename Elapsed = Scalar>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Derived>& x,
                              State<Scalar, Base::state_size_at_compile_time, Batch>& state,
                              const Elapsed& elapsed = Elapsed(1)) & {
    if (state.units() != this->state_size()) {
      detail::refuse("step: the state must be (batch, ", this->state_size(), "), got (", state.batch(), ", ",
                     state.units(), ")");
    }
    this->split_state(state);
    const auto y = step_from<0>(x.derived(), elapsed);
    this->join_states(state);
    return y;
  }
  template <typename Derived>
  void step(const Eigen::DenseBase<Derived>&, ...) const& = delete;  // wrong state, const or temporary model

  /// See `Rnn`.
  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x, const ContextType& context = {}) {
    begin(x, context);
    Sequence<Scalar> y;
    const Sequence<Scalar>* values = &x;
    this->for_each_part([&](auto& part) {
      y = part.layer(*values, part.context);
      values = &y;
    });
    this->end_pass(false);
    return y;
  }
  void operator()(const Sequence<Scalar>&, const ContextType& = {}) const = delete;  // the model is const

  /// See `Rnn`.
  const Sequence<Scalar>& forward(const Sequence<Scalar>& x, const ContextType& context = {}) & {
    begin(x, context);
    const Sequence<Scalar>* values = &x;
    this->for_each_part([&](auto& part) { values = &part.layer.forward(*values, part.context); });
    this->end_pass(true);
    return *values;
  }
  void forward(const Sequence<Scalar>&, const ContextType& = {}) const& = delete;  // the model is const or temporary

  /// See `Rnn`.
  void backward(const Sequence<Scalar>& d_output, const StateType* d_final_state = nullptr) {
    this->begin_backward(d_final_state);
    this->d_timespans().setZero();
    const Sequence<Scalar>* d_values = &d_output;
    this->for_each_part_backwards([&](auto& part) {
      part.layer.backward(*d_values, d_final_state ? &part.state : nullptr);
      d_values = &part.layer.input_gradient();
      if constexpr (requires { part.layer.timespans_gradient(); }) {
        if (part.sees_every_step) this->d_timespans() += part.layer.timespans_gradient();
      }
    });
    this->end_backward();
  }

  /// (time, batch, input_dim)
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const& noexcept {
    return std::get<0>(parts_).layer.input_gradient();
  }
  [[nodiscard]] Sequence<Scalar> input_gradient() const&& { return input_gradient(); }

  /// The rows of all layers. A stack within this one adds the rows of its own layers.
  [[nodiscard]] std::vector<SummaryRow> summary_rows() const {
    std::vector<SummaryRow> rows;
    this->for_each_part([&](const auto& part) {
      for (SummaryRow& row : summary_rows_of(part.layer)) {
        row.return_sequences = row.return_sequences && part.sees_every_step;
        rows.push_back(std::move(row));
      }
    });
    return rows;
  }

 private:
  using Base::parts_;

  template <std::size_t K, typename Input, typename Elapsed>
  ConstArrayView<Scalar> step_from(const Input& x, const Elapsed& elapsed) {
    auto& part = std::get<K>(parts_);
    const ConstArrayView<Scalar> y = part.layer.step(x, part.state, elapsed);
    if constexpr (K < sizeof...(Rest)) {
      return step_from<K + 1>(y, elapsed);
    } else {
      return y;
    }
  }

  /// Begins a pass: each layer gets its context.
  void begin(const Sequence<Scalar>& x, const ContextType& context) {
    this->begin_pass(x.time(), x.batch(), context);
    this->for_each_part([&](auto& part) {
      if (!part.sees_every_step) return;
      part.context.timespans = context.timespans;
      part.context.mask = context.mask;
    });
  }

  bool return_sequences_ = true;
};

}  // namespace elegans
