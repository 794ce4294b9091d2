// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <elegans/core/buffer.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/rnn.hpp>
#include <elegans/layer/session_base.hpp>
#include <elegans/layer/stack_session.hpp>
#include <elegans/layer/stateless_session.hpp>
#include <elegans/layer/workspace.hpp>
#include <elegans/simd/packet.hpp>

namespace elegans {

namespace detail {

/// The cell that an `Rnn`, or a model that derives from one, runs.
template <typename Layer>
using CellOf = std::remove_cvref_t<decltype(std::declval<const Layer&>().cell())>;

template <typename Layer>
concept RnnLayer = requires { typename CellOf<Layer>; } && std::derived_from<Layer, Rnn<CellOf<Layer>>>;

}  // namespace detail

// mutate all: layer.session
/// Runs a model that others may run at the same time: it reads the model's weights and has a workspace of its own. So
/// there is one set of weights, however many threads use it. Give each thread a session:
///
///     const elegans::LTC<float> model(wiring, 2);
///     std::jthread worker([&] {
///       elegans::Session session(model);
///       auto y = session(x);
///     });
///
/// A session computes the same as the model, to the bit, and always with the model's current parameters. The model must
/// outlive it. While a thread uses a session, nobody may run, change or move the model itself; to copy it is fine.
/// `evaluate`, `predict` and `forecast` take a session as they take a model.
///
/// A session also has a tape and a gradient of its own. So several forward passes of one model may come before their
/// backward passes, and threads may differentiate one model at the same time:
///
///     elegans::Session first(model), second(model);
///     auto loss = f(first.forward(a), second.forward(b));
///     first.backward(d_a), second.backward(d_b);        // first.gradient(), second.gradient()
///
/// Sessions of a `Dense`, a `LayerNorm`, a `Dropout`, and of the stacks of such layers run, but do not go back.
///
/// \tparam Layer  `LTC`, `CfC`, `LSTM`, or another `Rnn`; for the others see layer/stateless_session.hpp and
///                layer/stack_session.hpp
template <typename Layer>
class Session : public detail::SessionBase<Layer> {
  static_assert(detail::RnnLayer<Layer>,
                "elegans::Session: needs an Rnn such as LTC, CfC, LSTM or GRU, a Dense, a LayerNorm, a Dropout, or a "
                "Sequential, a Stack or a Bidirectional of these");
  using Base = detail::SessionBase<Layer>;

 public:
  using Cell = detail::CellOf<Layer>;
  using Scalar = typename Layer::Scalar;
  using Base::state_size_at_compile_time;
  using StateType = typename Layer::StateType;
  using ContextType = typename Layer::ContextType;

  /// A session of a model, which it refers to.
  explicit Session(const Layer& model) : Base(model), workspace_(model.cell()) {}
  explicit Session(const Layer&&) = delete;  // the model must outlive the session

  /// Advances a state by one step, in place: see `Rnn::step`.
  ///
  /// \param elapsed  one time for all streams, or a vector with one per stream
  /// \return         (batch, output_dim) outputs: a view that lasts until the next call
  /// \throws InvalidArgument if a shape differs or a time is negative or not finite
  /// \note   Allocates nothing, except that the first call with a larger batch does. It locks only in the first call
  ///         after the parameters changed, while they are packed.
  template <typename Derived, int Batch, typename Elapsed = Scalar>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Derived>& x,
                              State<Scalar, state_size_at_compile_time, Batch>& state,
                              const Elapsed& elapsed = Elapsed(1)) & {
    const auto time_of = detail::elapsed_times_of<Scalar>(state.batch(), elapsed);
    return workspace_.step(packed(), x, state, time_of, [](bool) {});
  }
  template <typename Derived>
  void step(const Eigen::DenseBase<Derived>&, ...) const& = delete;  // wrong state, const or temporary session

  /// The outputs for a batch of sequences: see `Rnn::operator()`.
  /// \throws InvalidArgument if a shape differs
  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x, const ContextType& context = {}) {
    run(x, context, false);
    return workspace_.rollout().output();
  }

  /// The same, with a tape for `backward`: see `Rnn::forward`.
  /// \return the outputs; they last until the next call
  const Sequence<Scalar>& forward(const Sequence<Scalar>& x, const ContextType& context = {}) & {
    ++runs_;
    run(x, context, true);
    first_sample_ = 0;
    changes_ = this->model().cell_.changes();
    return workspace_.rollout().output();
  }
  void forward(const Sequence<Scalar>&, const ContextType& = {}) const& = delete;  // the session is const or temporary

  /// Says which place in a training the next `forward` has, for dropout: see `Rnn::begin_pass`.
  void begin_pass(int epoch, int passes, Index first_sample = 0) noexcept {
    runs_ = detail::passes_before(epoch, passes);
    first_sample_ = first_sample;
  }

  /// Backpropagation through time: see `Rnn::backward`.
  /// \throws InvalidArgument if a shape differs, or without a `forward` since the model's parameters last changed
  void backward(const Sequence<Scalar>& d_output, const StateType* d_final_state = nullptr) {
    if (!workspace_.rollout().can_go_back() || changes_ != this->model().cell_.changes()) {
      detail::refuse("backward: call forward() first");
    }
    const auto& parameters = this->model().parameters_;
    gradient_.resize(parameters.size());
    workspace_.rollout().backward(packed(), parameters.data(), gradient_.size(), d_output, d_final_state,
                                  gradient_.data());
  }

  /// dLoss/d(parameters), in the order of the model's `parameters()`; empty before the first `backward`.
  [[nodiscard]] ConstVectorView<Scalar> gradient() const& noexcept { return {gradient_.data(), gradient_.size()}; }
  [[nodiscard]] OwnedArray<Scalar, Dynamic, 1> gradient() const&& { return gradient(); }
  /// (time, batch, input_dim)
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const& noexcept { return workspace_.rollout().d_input(); }
  [[nodiscard]] Sequence<Scalar> input_gradient() const&& { return input_gradient(); }
  /// (batch, state_size)
  [[nodiscard]] const StateType& initial_state_gradient() const& noexcept {
    return workspace_.rollout().d_initial_state();
  }
  [[nodiscard]] StateType initial_state_gradient() const&& { return initial_state_gradient(); }
  /// (time, batch): see `Rnn::timespans_gradient`.
  [[nodiscard]] ConstArrayView<Scalar> timespans_gradient() const& noexcept {
    return workspace_.rollout().d_timespans();
  }
  [[nodiscard]] OwnedArray<Scalar> timespans_gradient() const&& { return timespans_gradient(); }

  /// (batch, state_size): where the last sequence ended.
  [[nodiscard]] const StateType& final_state() const& noexcept { return workspace_.rollout().final_state(); }
  [[nodiscard]] StateType final_state() const&& { return final_state(); }

 private:
  [[nodiscard]] const Cell& packed() const { return this->model().packed(); }

  void run(const Sequence<Scalar>& x, const ContextType& context, bool has_tape) {
    workspace_.template run<detail::full_lanes<Scalar>>(
        packed(), x, context, {this->return_sequences(), has_tape, runs_, first_sample_}, [](bool) {});
  }

  std::uint64_t runs_ = 0;     // forward passes with a tape in this epoch
  Index first_sample_ = 0;     // of the next of them
  std::uint64_t changes_ = 0;  // of the model's parameters, at the last of these passes
  detail::Workspace<Cell> workspace_;
  Buffer<Scalar> gradient_;
};

}  // namespace elegans
