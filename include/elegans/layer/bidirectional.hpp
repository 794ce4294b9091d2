// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <elegans/core/sequence.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/bidirectional_run.hpp>
#include <elegans/layer/composite.hpp>
#include <elegans/layer/concepts.hpp>
#include <elegans/layer/parts.hpp>
#include <elegans/layer/shapes.hpp>
#include <elegans/layer/summary.hpp>

namespace elegans {

// mutate all: layer.bidirectional
/// Two layers side by side: one reads the sequence forwards, the other backwards. Each step's outputs are those of the
/// forward layer, then those of the backward layer.
///
///     elegans::LTC<float> ahead(wiring, 3, {.seed = 1});
///     elegans::LTC<float> behind(wiring, 3, {.seed = 2});
///     elegans::Bidirectional model(ahead, behind);
///
/// The backward layer reads the inputs, the elapsed times and the mask from the last step to the first. So every output
/// depends on the whole sequence: there is no `step`, and `fit` refuses truncated and stateful training. Parameters are
/// named `forward_layer.…` and `backward_layer.…`. The state holds that of the forward layer, then that of the backward
/// layer. Mirrors `keras.layers.Bidirectional` with `merge_mode="concat"`.
template <AnyLayer Layer>
class Bidirectional : public detail::BidirectionalRun<
                          Composite<Bidirectional<Layer>, typename Layer::Scalar, detail::PartTuple<Layer, Layer>>> {
  using Base = detail::BidirectionalRun<
      Composite<Bidirectional<Layer>, typename Layer::Scalar, detail::PartTuple<Layer, Layer>>>;
  using Base::ahead;
  using Base::behind;
  using Base::output_;

 public:
  using Scalar = typename Layer::Scalar;
  using StateType = typename Base::StateType;
  using ContextType = typename Base::ContextType;
  /// The backward layer reads steps that come later.
  static constexpr bool is_causal = false;
  static constexpr std::size_t layer_count = 2;
  static constexpr const char* kind = "Bidirectional";  ///< in files and messages
  static std::string_view name_of_layer(std::size_t k) { return k == 0 ? "forward_layer" : "backward_layer"; }

  /// Two layers of the same inputs. Each has its own parameters.
  /// \throws InvalidArgument unless both layers have the same number of inputs, and both return all outputs or both the
  ///         last only
  Bidirectional(Layer forward_layer, Layer backward_layer)
      : Base(detail::PartTuple<Layer, Layer>(std::move(forward_layer), std::move(backward_layer))) {}

  /// Layer 0 reads forwards, layer 1 backwards. See `Sequential`.
  template <std::size_t K>
  [[nodiscard]] Layer& layer() & noexcept {
    this->expect_changes();
    return std::get<K>(this->parts_.all).layer;
  }
  /// The same layer, to read.
  template <std::size_t K>
  [[nodiscard]] const Layer& layer() const& noexcept {
    return std::get<K>(this->parts_.all).layer;
  }
  template <std::size_t K>
  [[nodiscard]] Layer layer() const&& {
    return layer<K>();
  }

  /// See `Rnn`.
  const Sequence<Scalar>& forward(const Sequence<Scalar>& x, const ContextType& context = {}) & {
    this->begin(x, context);
    this->join_outputs(ahead().layer.forward(x, ahead().context),
                       behind().layer.forward(this->reversed_x_, behind().context));
    this->end_pass();
    this->keep_tape();
    return output_;
  }
  void forward(const Sequence<Scalar>&, const ContextType& = {}) const& = delete;  // the model is const or temporary

  /// See `Rnn`.
  void backward(const Sequence<Scalar>& d_output, const StateType* d_final_state = nullptr) {
    this->begin_backward(d_final_state);
    detail::require_backward_shape(d_output, d_final_state, output_, this->state_size());
    split_outputs(d_output);
    ahead().layer.backward(d_ahead_, d_final_state ? &ahead().state : nullptr);
    behind().layer.backward(d_behind_, d_final_state ? &behind().state : nullptr);
    const Sequence<Scalar>& d_x = ahead().layer.input_gradient();
    const Sequence<Scalar>& d_reversed_x = behind().layer.input_gradient();
    d_input_.resize(this->time_, this->batch_, this->input_dim());
    for (Index t = 0; t < this->time_; ++t) d_input_.step(t) = d_x.step(t) + d_reversed_x.step(this->time_ - 1 - t);
    this->d_timespans().setZero();
    if constexpr (requires { ahead().layer.timespans_gradient(); }) {
      const ConstArrayView<Scalar> of_ahead = ahead().layer.timespans_gradient();
      const ConstArrayView<Scalar> of_behind = behind().layer.timespans_gradient();
      // Only the run time may tell that a layer does not depend on the elapsed times.
      if (of_ahead.size() > 0) this->d_timespans() += of_ahead;
      if (of_behind.size() > 0) this->d_timespans() += of_behind.colwise().reverse();
    }
    this->end_backward();
  }

  /// (time, batch, input_dim)
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const& noexcept { return d_input_; }
  [[nodiscard]] Sequence<Scalar> input_gradient() const&& { return input_gradient(); }

  /// One row for both layers together, then the rows of each layer.
  [[nodiscard]] std::vector<SummaryRow> summary_rows() const {
    std::vector<SummaryRow> rows{detail::summary_row("bidirectional (Bidirectional)", *this)};
    this->for_each_part([&](const auto& part) {
      for (SummaryRow& row : summary_rows_of(part.layer)) {
        ++row.depth;
        rows.push_back(std::move(row));
      }
    });
    return rows;
  }

 private:
  /// The adjoint of `join_outputs`.
  void split_outputs(const Sequence<Scalar>& d_output) {
    const Index of_ahead = ahead().layer.output_dim();
    const Index of_behind = behind().layer.output_dim();
    d_ahead_.resize(d_output.time(), d_output.batch(), of_ahead);
    d_behind_.resize(d_output.time(), d_output.batch(), of_behind);
    for (Index t = 0; t < d_output.time(); ++t) {
      d_ahead_.step(t) = d_output.step(t).leftCols(of_ahead);
      d_behind_.step(d_output.time() - 1 - t) = d_output.step(t).rightCols(of_behind);
    }
  }

  Sequence<Scalar> d_ahead_, d_behind_, d_input_;
};

}  // namespace elegans
