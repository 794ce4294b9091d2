// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <elegans/core/context.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/shapes.hpp>

namespace elegans::detail {

// mutate all: layer.parts_run
/// What a stack, and a session of one, need to run layers: their states side by side in one state, and a context for
/// each. `ChainRun` and `BidirectionalRun` derive from it, and decide what each layer reads.
///
/// \tparam Parts  what holds the layers, or their sessions: `PartTuple` or `PartVector`
template <typename ScalarType, typename PartsType>
class PartsRun {
 public:
  using Scalar = ScalarType;
  using Parts = PartsType;
  static constexpr int state_size_at_compile_time = Parts::state_size_at_compile_time;
  using StateType = State<Scalar, state_size_at_compile_time>;
  using ContextType = Context<Scalar, state_size_at_compile_time>;

  [[nodiscard]] Index state_size() const noexcept { return state_size_; }

  /// The state before the first step of a single stream: zeros.
  [[nodiscard]] auto initial_state() const {
    return State<Scalar, state_size_at_compile_time, state_size_at_compile_time == Dynamic ? Dynamic : 1>(1,
                                                                                                          state_size_);
  }
  /// The same for a batch of streams.
  [[nodiscard]] StateType initial_state(Index batch) const { return StateType(batch, state_size_); }

  /// (batch, state_size): the layers' states after the last step of the last sequence.
  [[nodiscard]] const StateType& final_state() const& noexcept { return final_state_; }
  [[nodiscard]] StateType final_state() const&& { return final_state(); }

 protected:
  explicit PartsRun(Parts parts) : parts_(std::move(parts)) {
    for_each_part([&](const auto& part) { state_size_ += part.layer.state_size(); });
    final_state_ = initial_state(Index{0});
  }

  /// Calls visit(part) for each layer, the first layer first.
  template <typename Visit>
  void for_each_part(Visit visit) {
    parts_.for_each(visit);
  }
  template <typename Visit>
  void for_each_part(Visit visit) const {
    parts_.for_each(visit);
  }

  /// Copies each layer's columns of a state to `Part::state`.
  template <typename AnyState>
  void split_state(const AnyState& state) {
    Index first = 0;
    for_each_part([&](auto& part) {
      part.state.resize(state.batch());
      part.state.array() = state.array().middleCols(first, part.state.units());
      first += part.state.units();
    });
  }
  /// Copies every `Part::state` to its columns of a state.
  template <typename AnyState>
  void join_states(AnyState& state) const {
    Index first = 0;
    for_each_part([&](const auto& part) {
      state.array().middleCols(first, part.state.units()) = part.state.array();
      first += part.state.units();
    });
  }

  /// A stack hides it: it checks that it can run now.
  void begin_use() const noexcept {}

  /// Begins a pass over sequences of this shape: each layer gets its columns of the initial state.
  /// \throws InvalidArgument if the initial state has another shape
  void begin_pass(Index time, Index batch, const ContextType& context) {
    if (context.initial_state) {
      require_state_shape("forward: the initial state", *context.initial_state, batch, state_size_);
    }
    time_ = time;
    batch_ = batch;
    if (context.initial_state) split_state(*context.initial_state);
    for_each_part([&](auto& part) {
      if (context.initial_state) {
        part.context.initial_state = part.state;
      } else {
        part.context.initial_state.reset();
      }
    });
  }
  /// Ends a pass, after all layers ran.
  void end_pass() {
    for_each_part([](auto& part) { part.state = part.layer.final_state(); });
    final_state_.resize(batch_);
    join_states(final_state_);
  }

  Parts parts_;

  // The shape of the last sequence.
  Index time_ = 0;
  Index batch_ = 0;

 private:
  Index state_size_ = 0;
  StateType final_state_;
};

}  // namespace elegans::detail
