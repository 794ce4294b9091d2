// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tuple>
#include <utility>

#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/shapes.hpp>

namespace elegans::detail {

// mutate all: layer.bidirectional_run
/// Runs two layers side by side, one of them backwards: what a `Bidirectional` and a session of one have in common.
///
/// \tparam Base  holds the two layers, or their sessions: a `PartsRun`, or a `Composite`
template <typename Base>
class BidirectionalRun : public Base {
 public:
  using Scalar = typename Base::Scalar;
  using ContextType = typename Base::ContextType;

  [[nodiscard]] Index input_dim() const { return ahead().layer.input_dim(); }
  [[nodiscard]] Index output_dim() const { return ahead().layer.output_dim() + behind().layer.output_dim(); }
  [[nodiscard]] bool return_sequences() const { return ahead().layer.return_sequences(); }

  /// See `Rnn`.
  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x, const ContextType& context = {}) {
    begin(x, context);
    join_outputs(ahead().layer(x, ahead().context), behind().layer(reversed_x_, behind().context));
    this->end_pass();
    return output_;
  }
  void operator()(const Sequence<Scalar>&, const ContextType& = {}) const = delete;  // the model is const

 protected:
  /// \throws InvalidArgument unless both layers have the same number of inputs, and both return all outputs or both the
  ///         last only
  explicit BidirectionalRun(typename Base::Parts parts) : Base(std::move(parts)) {
    const auto& backward = behind().layer;
    if (input_dim() != backward.input_dim()) {
      refuse("Bidirectional: both layers must have as many inputs, got ", input_dim(), " and ", backward.input_dim());
    }
    if (return_sequences() != backward.return_sequences()) {
      refuse("Bidirectional: either both layers must return sequences or none");
    }
  }

  /// The layer that reads forwards.
  [[nodiscard]] auto& ahead() noexcept { return std::get<0>(this->parts_.all); }
  [[nodiscard]] const auto& ahead() const noexcept { return std::get<0>(this->parts_.all); }
  /// The layer that reads backwards.
  [[nodiscard]] auto& behind() noexcept { return std::get<1>(this->parts_.all); }
  [[nodiscard]] const auto& behind() const noexcept { return std::get<1>(this->parts_.all); }

  /// Begins a pass: each layer gets its inputs and its context.
  void begin(const Sequence<Scalar>& x, const ContextType& context) {
    require_forward_shape(x, context, input_dim(), this->state_size());
    this->begin_use();
    this->begin_pass(x.time(), x.batch(), context);
    reversed_x_.resize(x.time(), x.batch(), x.features());
    for (Index t = 0; t < x.time(); ++t) reversed_x_.step(x.time() - 1 - t) = x.step(t);
    ahead().context.timespans = context.timespans;
    ahead().context.mask = context.mask;
    behind().context.timespans = context.timespans.reversed();
    behind().context.mask = context.mask.reversed();
  }

  /// Puts the outputs of both layers side by side, step by step.
  void join_outputs(const Sequence<Scalar>& of_ahead, const Sequence<Scalar>& of_behind) {
    output_.resize(of_ahead.time(), of_ahead.batch(), output_dim());
    for (Index t = 0; t < of_ahead.time(); ++t) {
      output_.step(t) << of_ahead.step(t), of_behind.step(of_ahead.time() - 1 - t);
    }
  }

  Sequence<Scalar> reversed_x_;  // the inputs, the last step first
  Sequence<Scalar> output_;
};

}  // namespace elegans::detail
