// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <elegans/core/buffer.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/parameterized.hpp>
#include <elegans/layer/parts.hpp>
#include <elegans/layer/shapes.hpp>
#include <elegans/layer/summary.hpp>
#include <elegans/system/executor.hpp>

namespace elegans {

// mutate all: layer.composite
/// A layer made of layers: the base of `Sequential`, `Stack` and `Bidirectional`, which decide what each layer reads.
///
/// A stack owns copies of the layers that it was made of; no two stacks share a layer. The parameters of all layers lie
/// one after the other in one flat vector, and their states side by side in one state. Each layer also has its own
/// parameters, because its kernels pack them. A change of the flat vector goes through `update`, which passes it on to
/// the layers. A change of a layer in place, through `layer`, reaches the flat vector when somebody next reads it:
///
///     stack.layer<0>().set_parameter("w", w);   // stack.parameter("0.w") is w
///     auto trained = stack.layer<0>();          // a copy, which goes its own way
///     stack.layer<0>() = another;               // of the same sizes
///
/// \tparam Parts  what holds the layers: `detail::PartTuple` or `detail::PartVector`
template <typename Derived, typename ScalarType, typename Parts>
class Composite : public Parameterized<Derived, ScalarType, Parts::parameter_capacity> {
  friend Parameterized<Derived, ScalarType, Parts::parameter_capacity>;

 public:
  using Scalar = ScalarType;
  static constexpr int state_size_at_compile_time = Parts::state_size_at_compile_time;
  using StateType = State<Scalar, state_size_at_compile_time>;
  using ContextType = Context<Scalar, state_size_at_compile_time>;
  using ListType = ParameterList<Parts::list_capacity>;

  [[nodiscard]] Index state_size() const noexcept { return state_size_; }
  /// Name, shape and offset of each tensor in `parameters()` and `gradient()`.
  [[nodiscard]] const ListType& parameter_list() const& noexcept { return parameter_list_; }
  [[nodiscard]] ListType parameter_list() const&& { return parameter_list(); }

  /// See `Rnn`.
  template <typename Change>
  void update_unconstrained(Change&& change) {
    this->require_usable();
    collect_parameters();
    change(VectorView<Scalar>(parameters_.data(), parameters_.size()));
    hand_out(false);
  }

  /// The state before the first step of a single stream: zeros.
  [[nodiscard]] auto initial_state() const {
    return State<Scalar, state_size_at_compile_time, state_size_at_compile_time == Dynamic ? Dynamic : 1>(1,
                                                                                                          state_size_);
  }
  /// The same for a batch of streams.
  [[nodiscard]] StateType initial_state(Index batch) const { return StateType(batch, state_size_); }

  /// See `Rnn`.
  void begin_pass(int epoch, int passes, Index first_sample = 0) {
    for_each_part([&](auto& part) {
      if constexpr (requires { part.layer.begin_pass(epoch, passes, first_sample); }) {
        part.layer.begin_pass(epoch, passes, first_sample);
      }
    });
  }

  /// Hands the executor to every layer that can use one: see `Rnn`.
  void set_executor(const std::shared_ptr<Executor>& executor) {
    for_each_part([&](auto& part) {
      if constexpr (requires { part.layer.set_executor(executor); }) part.layer.set_executor(executor);
    });
    can_go_back_ = false;
  }

  /// Calls visit(name, layer) for each layer, the first layer first. \param visit  takes the name as a `std::string`,
  /// which is also the prefix of the layer's parameters: "0" or "forward_layer"
  template <typename Visit>
  void for_each_layer(Visit&& visit) const {
    std::size_t k = 0;
    for_each_part([&](const auto& part) { visit(std::string(Derived::name_of_layer(k++)), part.layer); });
  }

  /// (batch, state_size): the layers' states after the last step of the last sequence.
  [[nodiscard]] const StateType& final_state() const& noexcept { return final_state_; }
  [[nodiscard]] StateType final_state() const&& { return final_state(); }
  /// (batch, state_size): dLoss/d(initial state), from the last `backward`.
  [[nodiscard]] const StateType& initial_state_gradient() const& noexcept { return d_initial_state_; }
  [[nodiscard]] StateType initial_state_gradient() const&& { return initial_state_gradient(); }
  /// (time, batch): dLoss/d(elapsed time) of each step, summed over all layers.
  [[nodiscard]] ConstArrayView<Scalar> timespans_gradient() const& {
    // `time_` and `batch_` may be those of a later forward pass already.
    const Sequence<Scalar>& d_x = static_cast<const Derived&>(*this).input_gradient();
    return {d_timespans_.data(), d_x.time(), d_x.batch()};
  }
  [[nodiscard]] OwnedArray<Scalar> timespans_gradient() const&& { return timespans_gradient(); }

  /// The layers as Keras prints them: a table with one line per layer.
  [[nodiscard]] std::string summary() const {
    return summary_table(static_cast<const Derived&>(*this).summary_rows(), sizeof(Scalar));
  }

 protected:
  using Base = Parameterized<Derived, ScalarType, Parts::parameter_capacity>;
  using Base::gradient_;
  using Base::parameters_;

  explicit Composite(Parts parts) : parts_(std::move(parts)) {
    std::size_t number = 0;
    for_each_part([&](auto& part) {
      const std::string prefix = std::string(Derived::name_of_layer(number++)) + ".";
      for (const Parameter& entry : part.layer.parameter_list()) {
        parameter_list_.add(prefix + entry.name, entry.rows, entry.columns);
      }
      state_size_ += part.layer.state_size();
    });
    final_state_ = d_initial_state_ = initial_state(Index{0});
    parameters_.resize(parameter_list_.count());
    join_vectors(parameters_, [](const auto& layer) { return layer.parameters(); });
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

  /// Says that a layer may change in place from now on.
  void expect_changes() noexcept { may_differ_ = true; }

  /// Takes over what was changed in the layers themselves.
  void collect_parameters() const {
    if (!may_differ_ || parameters_.size() == 0) return;
    require_same_layers();
    Index offset = 0;
    for_each_part([&](const auto& part) {
      const ConstVectorView<Scalar> now = part.layer.parameters();
      VectorView<Scalar> known(parameters_.data() + offset, now.size());
      // Write only what differs, so that threads may read the parameters of a stack that nobody changes.
      if (std::memcmp(known.data(), now.data(), sizeof(Scalar) * static_cast<std::size_t>(now.size())) != 0)
        known = now;
      offset += now.size();
    });
  }

  /// \throws InvalidArgument if another layer of other sizes was put into a layer's place
  void require_same_layers() const {
    if (!may_differ_) return;
    std::size_t k = 0;
    for_each_part([&](const auto& part) {
      if (!(detail::LayerSizes(part.layer) == part.sizes)) {
        detail::refuse(Derived::kind, ": the layer '", Derived::name_of_layer(k),
                       "' was replaced by one of other sizes: make a new stack of it");
      }
      ++k;
    });
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

  /// Begins a pass over sequences of this shape: each layer gets its columns of the initial state.
  /// \throws InvalidArgument if the initial state has another shape, or if a layer has other sizes than it had
  void begin_pass(Index time, Index batch, const ContextType& context) {
    this->require_usable();
    require_same_layers();
    if (context.initial_state) {
      detail::require_state_shape("forward: the initial state", *context.initial_state, batch, state_size_);
    }
    time_ = time;
    batch_ = batch;
    can_go_back_ = false;  // until all layers went forward: one of them may throw
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
  void end_pass(bool can_go_back) {
    for_each_part([](auto& part) { part.state = part.layer.final_state(); });
    final_state_.resize(batch_);
    join_states(final_state_);
    can_go_back_ = can_go_back;
  }

  /// Begins a backward pass: each layer gets its columns of the final state's adjoint.
  /// \throws InvalidArgument if that has another shape, or if there was no `forward`
  void begin_backward(const StateType* d_final_state) {
    if (!can_go_back_) detail::refuse("backward: call forward() first");
    require_same_layers();
    if (d_final_state) {
      detail::require_state_shape("backward: d_final_state", *d_final_state, batch_, state_size_);
      split_state(*d_final_state);
    }
    d_timespans_.resize(time_ * batch_);
  }
  /// Ends a backward pass, after all layers went back.
  void end_backward() {
    gradient_.resize(parameters_.size());
    join_vectors(gradient_, [](const auto& layer) { return layer.gradient(); });
    for_each_part([](auto& part) { part.state = part.layer.initial_state_gradient(); });
    d_initial_state_.resize(batch_);
    join_states(d_initial_state_);
  }
  /// (time, batch): the adjoints of the elapsed times, to write.
  [[nodiscard]] ArrayView<Scalar> d_timespans() noexcept { return {d_timespans_.data(), time_, batch_}; }

  Parts parts_;

  // The shape of the last sequence.
  Index time_ = 0;
  Index batch_ = 0;

 private:
  /// Joins one flat vector per layer. \param vector_of  layer -> its vector
  template <int Capacity, typename VectorOf>
  void join_vectors(Buffer<Scalar, Capacity>& to, VectorOf vector_of) const {
    Index offset = 0;
    for_each_part([&](const auto& part) {
      const auto values = vector_of(part.layer);
      VectorView<Scalar>(to.data() + offset, values.size()) = values;
      offset += values.size();
    });
  }

  /// Gives each layer its part of the flat vector. \param constrained  false: its constraints wait for the next update
  void hand_out(bool constrained) {
    Index offset = 0;
    for_each_part([&](auto& part) {
      const Index size = part.layer.parameters().size();
      const auto set = [&](auto all) { all = ConstVectorView<Scalar>(parameters_.data() + offset, size); };
      if constexpr (requires { part.layer.update_unconstrained(set); }) {
        constrained ? part.layer.update(set) : part.layer.update_unconstrained(set);
      } else {
        part.layer.update(set);
      }
      offset += size;
    });
    can_go_back_ = false;
  }

  void parameters_changed() {
    hand_out(true);
    // The layers may have clipped some of the values.
    join_vectors(parameters_, [](const auto& layer) { return layer.parameters(); });
  }

  ListType parameter_list_;
  Index state_size_ = 0;
  bool may_differ_ = false;  // somebody has a reference to a layer that is not const

  // Of the last sequence.
  detail::Extent<bool> can_go_back_ = false;
  StateType final_state_;
  StateType d_initial_state_;
  Buffer<Scalar> d_timespans_;
};

}  // namespace elegans
