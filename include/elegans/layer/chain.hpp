// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <elegans/core/buffer.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/composite.hpp>
#include <elegans/layer/parts.hpp>
#include <elegans/layer/step.hpp>
#include <elegans/layer/summary.hpp>

namespace elegans {

// mutate all: layer.chain
/// Layers one after the other: what `Sequential` and `Stack` have in common. Every layer gets the elapsed times and the
/// mask, up to the first layer that returns its last output only. The layers behind that one see a sequence of a single
/// step, with an elapsed time of 1.
template <typename Derived, typename ScalarType, typename Parts>
class Chain : public Composite<Derived, ScalarType, Parts> {
  using Base = Composite<Derived, ScalarType, Parts>;

 public:
  using Scalar = ScalarType;
  using StateType = typename Base::StateType;
  using ContextType = typename Base::ContextType;
  static constexpr int inputs_at_compile_time = Parts::inputs_at_compile_time;
  /// What files and messages call it.
  static constexpr const char* kind = "Sequential";
  /// The name of layer number k, as in a `torch.nn.Sequential`: "0", "1", …
  static std::string name_of_layer(std::size_t k) { return std::to_string(k); }

  [[nodiscard]] Index input_dim() const noexcept { return input_dim_; }
  [[nodiscard]] Index output_dim() const noexcept { return output_dim_; }
  [[nodiscard]] bool return_sequences() const noexcept { return return_sequences_; }

  /// Advances a state by one step through all layers; see `Rnn::step`. Only a stack of layers that all have a step has
  /// it. If a layer refuses the step, the state stays as it was.
  /// \param elapsed  one time for all streams, or one per stream
  template <typename Input, int Batch, typename Elapsed = Scalar>
    requires(Parts::has_step())
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Input>& x,
                              State<Scalar, Base::state_size_at_compile_time, Batch>& state,
                              const Elapsed& elapsed = Elapsed(1)) & {
    this->require_usable();
    this->require_same_layers();
    detail::require_step_shape(*this, x, state);
    const Index batch = state.batch();
    // A copy, so that every layer's step is compiled for one kind of input.
    step_input_.resize(batch * input_dim_);
    for (Index b = 0; b < batch; ++b) {
      for (Index f = 0; f < input_dim_; ++f) {
        const bool is_row = batch > 1 || x.rows() == 1;
        step_input_[b + batch * f] = static_cast<Scalar>(x.derived().coeff(is_row ? b : f, is_row ? f : 0));
      }
    }
    const Scalar* values = step_input_.data();
    Index features = input_dim_;
    for_each_state<Batch>(state, [&](auto& part, auto& own, auto&& columns) {
      own.array() = columns;
      const ConstArrayView<Scalar> y = part.layer.step(ConstArrayView<Scalar>(values, batch, features), own, elapsed);
      values = y.data();
      features = y.cols();
    });
    for_each_state<Batch>(state, [&](auto&, auto& own, auto&& columns) { columns = own.array(); });
    return {values, batch, features};
  }
  template <typename Input>
  void step(const Eigen::DenseBase<Input>&, ...) const& = delete;  // wrong state, const or temporary model

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
    this->parts_.for_each_backwards([&](auto& part) {
      part.layer.backward(*d_values, d_final_state ? &part.state : nullptr);
      d_values = &part.layer.input_gradient();
      if constexpr (requires { part.layer.timespans_gradient(); }) {
        const ConstArrayView<Scalar> d = part.layer.timespans_gradient();
        // Only the run time may tell that a layer does not depend on the elapsed times.
        if (part.sees_every_step && d.size() > 0) this->d_timespans() += d;
      }
    });
    this->end_backward();
  }

  /// (time, batch, input_dim)
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const& {
    this->require_usable();
    return this->parts_.front().layer.input_gradient();
  }
  [[nodiscard]] Sequence<Scalar> input_gradient() const&& { return input_gradient(); }

  /// The name of the first layer that reads later steps, or "" if there is none.
  [[nodiscard]] std::string acausal_layer() const {
    std::string name;
    this->for_each_part([&](const auto& part) {
      if (name.empty()) name = detail::acausal_layer_of(part.layer);
    });
    return name;
  }

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

 protected:
  /// \throws InvalidArgument if a layer's input_dim is not the output_dim of the layer before it
  explicit Chain(Parts parts) : Base(std::move(parts)) {
    input_dim_ = output_dim_ = this->parts_.front().layer.input_dim();
    std::size_t k = 0;
    this->for_each_part([&](auto& part) {
      if (part.layer.input_dim() != output_dim_) {
        detail::refuse("Sequential: layer ", k, " must have input_dim ", output_dim_, ", the outputs of layer ", k - 1,
                       ", got ", part.layer.input_dim());
      }
      output_dim_ = part.layer.output_dim();
      part.sees_every_step = return_sequences_;
      return_sequences_ = return_sequences_ && part.layer.return_sequences();
      ++k;
    });
    step_input_.resize(input_dim_);
  }

 private:
  /// Begins a pass: each layer gets its context.
  void begin(const Sequence<Scalar>& x, const ContextType& context) {
    this->begin_pass(x.time(), x.batch(), context);
    this->for_each_part([&](auto& part) {
      if (!part.sees_every_step) return;
      part.context.timespans = context.timespans;
      part.context.mask = context.mask;
    });
  }

  /// Calls visit(part, own, columns) for each layer, with its own state and its columns of the stack's. The state of a
  /// single stream needs no memory that is not there since construction.
  template <int Batch, typename AnyState, typename Visit>
  void for_each_state(AnyState& state, Visit visit) {
    Index first = 0;
    this->for_each_part([&](auto& part) {
      const Index units = part.single_state.units();
      if (state.batch() == 1) {
        visit(part, part.single_state, state.array().middleCols(first, units));
      } else if constexpr (Batch != 1) {
        part.state.resize(state.batch());
        visit(part, part.state, state.array().middleCols(first, units));
      }
      first += units;
    });
  }

  Index input_dim_ = 0;
  Index output_dim_ = 0;
  bool return_sequences_ = true;
  Buffer<Scalar, inputs_at_compile_time> step_input_;
};

}  // namespace elegans
