// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/step.hpp>

namespace elegans::detail {

// mutate all: layer.chain_run
/// Runs layers one after the other: what a `Chain` and a session of one have in common.
///
/// \tparam Base  holds the layers, or their sessions: a `PartsRun`, or a `Composite`
template <typename Base>
class ChainRun : public Base {
 public:
  using Scalar = typename Base::Scalar;
  using ContextType = typename Base::ContextType;
  static constexpr int inputs_at_compile_time = Base::Parts::inputs_at_compile_time;

  [[nodiscard]] Index input_dim() const noexcept { return input_dim_; }
  [[nodiscard]] Index output_dim() const noexcept { return output_dim_; }
  [[nodiscard]] bool return_sequences() const noexcept { return return_sequences_; }

  /// Advances a state by one step through all layers; see `Rnn::step`. Only a stack of layers that all have a step has
  /// it. If a layer refuses the step, the state stays as it was.
  /// \param elapsed  one time for all streams, or one per stream
  template <typename Input, int Batch, typename Elapsed = Scalar>
    requires(Base::Parts::has_step())
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Input>& x,
                              State<Scalar, Base::state_size_at_compile_time, Batch>& state,
                              const Elapsed& elapsed = Elapsed(1)) & {
    this->begin_use();
    require_step_shape(*this, x, state);
    const Index batch = state.batch();
    // A copy, so that every layer's step is compiled for one kind of input.
    if (batch > 1) batch_input_.resize(batch * input_dim_);
    Scalar* const input = batch > 1 ? batch_input_.data() : step_input_.data();
    for (Index b = 0; b < batch; ++b) {
      for (Index f = 0; f < input_dim_; ++f) {
        const bool is_row = batch > 1 || x.rows() == 1;
        input[b + batch * f] = static_cast<Scalar>(x.derived().coeff(is_row ? b : f, is_row ? f : 0));
      }
    }
    const Scalar* values = input;
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
    this->end_pass();
    return y;
  }
  void operator()(const Sequence<Scalar>&, const ContextType& = {}) const = delete;  // the model is const

 protected:
  /// \throws InvalidArgument if a layer's input_dim is not the output_dim of the layer before it
  explicit ChainRun(typename Base::Parts parts) : Base(std::move(parts)) {
    input_dim_ = output_dim_ = this->parts_.front().layer.input_dim();
    std::size_t k = 0;
    this->for_each_part([&](auto& part) {
      if (part.layer.input_dim() != output_dim_) {
        refuse("Sequential: layer ", k, " must have input_dim ", output_dim_, ", the outputs of layer ", k - 1,
               ", got ", part.layer.input_dim());
      }
      output_dim_ = part.layer.output_dim();
      part.sees_every_step = return_sequences_;
      return_sequences_ = return_sequences_ && part.layer.return_sequences();
      ++k;
    });
    step_input_.resize(input_dim_);
  }

  /// Begins a pass: each layer gets its context.
  void begin(const Sequence<Scalar>& x, const ContextType& context) {
    this->begin_use();
    this->begin_pass(x.time(), x.batch(), context);
    this->for_each_part([&](auto& part) {
      if (!part.sees_every_step) return;
      part.context.timespans = context.timespans;
      part.context.mask = context.mask;
    });
  }

 private:
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
  Buffer<Scalar, inputs_at_compile_time> step_input_;  // of a single stream
  Buffer<Scalar> batch_input_;                         // of a batch of streams
};

}  // namespace elegans::detail
