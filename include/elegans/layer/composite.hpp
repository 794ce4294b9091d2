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
#include <elegans/layer/parts_run.hpp>
#include <elegans/layer/shapes.hpp>
#include <elegans/layer/summary.hpp>
#include <elegans/system/executor.hpp>

namespace elegans {

template <typename Layer>
class Session;

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
class Composite : public Parameterized<Derived, ScalarType, Parts::parameter_capacity>,
                  public detail::PartsRun<ScalarType, Parts> {
  using Run = detail::PartsRun<ScalarType, Parts>;
  friend Parameterized<Derived, ScalarType, Parts::parameter_capacity>;
  template <typename Layer>
  friend class Session;

 public:
  using Scalar = ScalarType;
  using StateType = typename Run::StateType;
  using ContextType = typename Run::ContextType;
  using ListType = ParameterList<Parts::list_capacity>;

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
  using Run::batch_;
  using Run::for_each_part;
  using Run::time_;

  explicit Composite(Parts parts) : Run(std::move(parts)) {
    std::size_t number = 0;
    for_each_part([&](auto& part) {
      const std::string prefix = std::string(Derived::name_of_layer(number++)) + ".";
      for (const Parameter& entry : part.layer.parameter_list()) {
        parameter_list_.add(prefix + entry.name, entry.rows, entry.columns);
      }
    });
    d_initial_state_ = this->initial_state(Index{0});
    parameters_.resize(parameter_list_.count());
    join_vectors(parameters_, [](const auto& layer) { return layer.parameters(); });
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

  /// \throws InvalidArgument if the stack was moved from, or a layer has other sizes than it had
  void begin_use() const {
    this->require_usable();
    require_same_layers();
  }

  /// See `PartsRun`.
  void begin_pass(Index time, Index batch, const ContextType& context) {
    can_go_back_ = false;  // until all layers went forward: one of them may throw
    Run::begin_pass(time, batch, context);
  }
  /// Says that all layers went forward, with what they need to go back.
  void keep_tape() noexcept { can_go_back_ = true; }

  /// Begins a backward pass: each layer gets its columns of the final state's adjoint.
  /// \throws InvalidArgument if that has another shape, or if there was no `forward`
  void begin_backward(const StateType* d_final_state) {
    if (!can_go_back_) detail::refuse("backward: call forward() first");
    require_same_layers();
    if (d_final_state) {
      detail::require_state_shape("backward: d_final_state", *d_final_state, batch_, this->state_size());
      this->split_state(*d_final_state);
    }
    d_timespans_.resize(time_ * batch_);
  }
  /// Ends a backward pass, after all layers went back.
  void end_backward() {
    gradient_.resize(parameters_.size());
    join_vectors(gradient_, [](const auto& layer) { return layer.gradient(); });
    for_each_part([](auto& part) { part.state = part.layer.initial_state_gradient(); });
    d_initial_state_.resize(batch_);
    this->join_states(d_initial_state_);
  }
  /// (time, batch): the adjoints of the elapsed times, to write.
  [[nodiscard]] ArrayView<Scalar> d_timespans() noexcept { return {d_timespans_.data(), time_, batch_}; }

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
  bool may_differ_ = false;  // somebody has a reference to a layer that is not const

  // Of the last sequence.
  detail::Extent<bool> can_go_back_ = false;
  StateType d_initial_state_;
  Buffer<Scalar> d_timespans_;
};

}  // namespace elegans
