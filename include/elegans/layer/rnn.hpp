// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

#include <elegans/cell/concepts.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/packed_cell.hpp>
#include <elegans/layer/parameterized.hpp>
#include <elegans/layer/rollout.hpp>
#include <elegans/layer/workspace.hpp>
#include <elegans/simd/packet.hpp>
#include <elegans/system/executor.hpp>

namespace elegans {

template <typename Layer>
class Session;

/// A cell over sequences. It owns the parameters, runs the cell step by step, and differentiates it through time
/// (BPTT).
///
/// An Rnn is a value: it copies, moves and sits in containers. It has its own workspace, so one object serves one
/// thread; to run it in several threads, give each a `Session`. Nothing allocates once a shape has been seen. A model
/// that was moved from throws an Error when it is used.
///
/// Results are the model's own and must not outlive it. So `step` and `forward` cannot be called on a temporary model,
/// and there the other members give copies.
///
/// A batch is cut into tiles, which an executor may spread over cores. The cut, and the order in which the tiles'
/// gradients are added, do not depend on the executor: the results are the same to the bit.
template <typename CellType>
class Rnn : public Parameterized<Rnn<CellType>, typename CellType::Scalar, CellType::parameter_capacity> {
  using Base = Parameterized<Rnn<CellType>, typename CellType::Scalar, CellType::parameter_capacity>;
  friend Base;
  template <typename Layer>
  friend class Session;
  using Rollout = detail::Rollout<CellType>;

 public:
  static_assert(RecurrentCell<CellType>,
                "elegans::Rnn: the cell lacks members that a RecurrentCell has: see elegans/cell/concepts.hpp");

  using Cell = CellType;
  using Scalar = typename Cell::Scalar;
  static_assert(!std::numeric_limits<Scalar>::is_integer, "elegans::Rnn: the scalar must be float or double");
  static constexpr int state_size_at_compile_time = Cell::state_size_at_compile_time;
  using StateType = typename Rollout::StateType;
  using ContextType = typename Rollout::ContextType;

  /// A cell with parameters, at its initial values.
  ///
  /// \param return_sequences  true: the outputs of all steps; false: of the last step only
  explicit Rnn(Cell cell, bool return_sequences = true);

  Rnn(const Rnn& other);
  Rnn(Rnn&& other) noexcept(std::is_nothrow_move_constructible_v<Cell>);
  Rnn& operator=(const Rnn& other);
  /// A model that is moved to itself stays as it is.
  Rnn& operator=(Rnn&& other) noexcept(std::is_nothrow_move_assignable_v<Cell>);
  ~Rnn();

  [[nodiscard]] const Cell& cell() const& noexcept { return cell_.get(); }
  [[nodiscard]] Cell cell() const&& { return cell(); }
  /// Number of neurons.
  [[nodiscard]] Index units() const noexcept { return cell().units(); }
  /// Number of values in a sample's state: the potentials of the neurons, and any other memory of the cell.
  [[nodiscard]] Index state_size() const noexcept { return cell().state_size(); }
  [[nodiscard]] Index input_dim() const noexcept { return cell().input_dim(); }
  [[nodiscard]] Index output_dim() const noexcept { return cell().output_dim(); }
  [[nodiscard]] bool return_sequences() const noexcept { return return_sequences_; }

  /// Spreads batches over the workers of an executor, from the next `forward` on. Null, the default, means the calling
  /// thread alone. Copies of the model share the executor.
  void set_executor(std::shared_ptr<Executor> executor) {
    executor_ = std::move(executor);
    rollout().forget();  // its tape is cut for the previous executor
  }
  [[nodiscard]] const std::shared_ptr<Executor>& executor() const& noexcept { return executor_; }
  [[nodiscard]] std::shared_ptr<Executor> executor() const&& { return executor(); }

  /// Name, shape and offset of each tensor in `parameters()` and `gradient()`.
  [[nodiscard]] const auto& parameter_list() const& noexcept { return cell().parameters(); }
  [[nodiscard]] auto parameter_list() const&& { return parameter_list(); }

  /// Changes the parameters as `update` does, but does not apply the constraints until the next `update`. Values from a
  /// file are set this way, so that they stay the same to the bit.
  template <typename Change>
  void update_unconstrained(Change&& change) {
    require_usable();
    change(VectorView<Scalar>(parameters_.data(), parameters_.size()));
    values_changed();
  }

  // --- one step at a time -------------------------------------------------------------------------------------------

  /// The state before the first step of a single stream: zeros. With fixed sizes it uses no heap.
  [[nodiscard]] auto initial_state() const {
    return State<Scalar, state_size_at_compile_time, state_size_at_compile_time == Dynamic ? Dynamic : 1>(1,
                                                                                                          state_size());
  }
  /// The same for a batch of streams.
  [[nodiscard]] StateType initial_state(Index batch) const { return StateType(batch, state_size()); }

  /// Advances a state by one step, in place.
  ///
  /// \param x             (batch, input_dim) sensory values; for a single stream any vector of input_dim values
  /// \param elapsed_time  time since the last step, finite and at least 0. An LTC keeps its state over 0
  /// \return              (batch, output_dim) outputs: a view that lasts until the next call
  /// \throws InvalidArgument if a shape differs or the time is negative or not finite
  /// \note   Neither locks nor allocates, except that the first call with a larger batch allocates.
  template <typename Derived, int Batch>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Derived>& x,
                              State<Scalar, state_size_at_compile_time, Batch>& state,
                              Scalar elapsed_time = Scalar(1)) & {
    return step_with(x, state, elapsed_time);
  }
  /// The same with an elapsed time for each stream.
  ///
  /// \param elapsed_times  (batch) or (batch, 1)
  template <typename Derived, int Batch, typename DerivedTimes>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Derived>& x,
                              State<Scalar, state_size_at_compile_time, Batch>& state,
                              const Eigen::DenseBase<DerivedTimes>& elapsed_times) & {
    return step_with(x, state, elapsed_times);
  }
  template <typename Derived>
  void step(const Eigen::DenseBase<Derived>&, ...) const& = delete;  // wrong state, const or temporary model

  // --- sequences ----------------------------------------------------------------------------------------------------

  /// The outputs for a batch of sequences: (time, batch, output_dim), or (1, batch, output_dim) of the last step if
  /// `return_sequences` is false. Stores the final state, but no tape.
  ///
  /// \param x  (time, batch, input_dim), or a (time, input_dim) matrix for one sequence
  /// \throws InvalidArgument if a shape differs
  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x, const ContextType& context = {});
  void operator()(const Sequence<Scalar>&, const ContextType& = {}) const = delete;  // the model is const

  /// The same, with a tape for `backward`: inputs, and one state per sub-step.
  /// \return the outputs; they last until the next call
  const Sequence<Scalar>& forward(const Sequence<Scalar>& x, const ContextType& context = {}) &;
  void forward(const Sequence<Scalar>&, const ContextType& = {}) const& = delete;  // the model is const or temporary

  /// Says which place in a training the next `forward` has. Dropout depends on it, so that a resumed training drops the
  /// same values as one without a pause, and a batch drops the same values however it is cut into parts.
  ///
  /// \param epoch         number of epochs before this one
  /// \param passes        number of passes before this one in the epoch
  /// \param first_sample  number, in its batch, of the first sample that the pass gets
  void begin_pass(int epoch, int passes, Index first_sample = 0) noexcept {
    runs_ = detail::passes_before(epoch, passes);
    first_sample_ = first_sample;
  }

  /// (batch, state_size): where the last sequence ended.
  [[nodiscard]] const StateType& final_state() const& noexcept { return rollout().final_state(); }
  [[nodiscard]] StateType final_state() const&& { return final_state(); }

  /// Backpropagation through time: from dLoss/d(outputs) of the last `forward`, in its shape, to all gradients.
  ///
  /// \param d_final_state  dLoss/d(final state), if the loss depends on it besides
  /// \throws InvalidArgument if a shape differs, or without a `forward` since the parameters last changed
  void backward(const Sequence<Scalar>& d_output, const StateType* d_final_state = nullptr);

  /// (time, batch, input_dim)
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const& noexcept { return rollout().d_input(); }
  [[nodiscard]] Sequence<Scalar> input_gradient() const&& { return input_gradient(); }
  /// (batch, state_size)
  [[nodiscard]] const StateType& initial_state_gradient() const& noexcept { return rollout().d_initial_state(); }
  [[nodiscard]] StateType initial_state_gradient() const&& { return initial_state_gradient(); }
  /// (time, batch): with respect to each elapsed time, also where steps or samples share one.
  [[nodiscard]] ConstArrayView<Scalar> timespans_gradient() const& noexcept { return rollout().d_timespans(); }
  [[nodiscard]] OwnedArray<Scalar> timespans_gradient() const&& { return timespans_gradient(); }

 private:
  using Base::gradient_;
  using Base::parameters_;
  using Base::require_usable;

  void parameters_changed();
  void values_changed() noexcept {
    cell_.forget();
    rollout().forget();  // its tape belongs to the old values
  }

  void pack(bool single) { cell_.pack(parameters_.data(), single); }
  /// The cell with everything packed, for a session. Several threads may call this at the same time.
  [[nodiscard]] const Cell& packed() const {
    require_usable();
    return cell_.packed(parameters_.data());
  }

  template <typename Derived, typename AnyState, typename Elapsed>
  ConstArrayView<Scalar> step_with(const Eigen::DenseBase<Derived>& x, AnyState& state, const Elapsed& elapsed) {
    const auto time_of = detail::elapsed_times_of<Scalar>(state.batch(), elapsed);
    require_usable();
    return workspace_.step(cell(), x, state, time_of, [this](bool single) { pack(single); });
  }

  template <int Width>
  void run(const Sequence<Scalar>& x, const ContextType& context, bool has_tape) {
    require_usable();
    const std::uint64_t run = runs_ + (has_tape ? 1 : 0);
    workspace_.template run<Width>(cell(), x, context,
                                   {return_sequences_, has_tape, run, first_sample_, executor_.get()},
                                   [this](bool single) { pack(single); });
    runs_ = run;
    if (has_tape) first_sample_ = 0;
  }

  [[nodiscard]] Rollout& rollout() noexcept { return workspace_.rollout(); }
  [[nodiscard]] const Rollout& rollout() const noexcept { return workspace_.rollout(); }

  detail::PackedCell<Cell> cell_;
  std::shared_ptr<Executor> executor_;
  bool return_sequences_;
  std::uint64_t runs_ = 0;  // forward passes with a tape in this epoch
  Index first_sample_ = 0;  // of the next of them
  detail::Workspace<Cell> workspace_;
};

// These are outside of the class because a member that is defined inside is inline: see elegans/compiled.hpp.

template <typename CellType>
Rnn<CellType>::Rnn(Cell cell, bool return_sequences)
    : cell_(std::move(cell)), return_sequences_(return_sequences), workspace_(cell_.get()) {
  parameters_.resize(parameter_list().count());
  this->cell().initialize(parameters_.data());
  pack(true);
}

template <typename CellType>
Rnn<CellType>::Rnn(const Rnn&) = default;
template <typename CellType>
Rnn<CellType>::Rnn(Rnn&&) noexcept(std::is_nothrow_move_constructible_v<Cell>) = default;
template <typename CellType>
Rnn<CellType>& Rnn<CellType>::operator=(const Rnn&) = default;
template <typename CellType>
Rnn<CellType>::~Rnn() = default;

template <typename CellType>
Rnn<CellType>& Rnn<CellType>::operator=(Rnn&& other) noexcept(std::is_nothrow_move_assignable_v<Cell>) {
  if (this == &other) return *this;  // a vector that is moved to itself would be empty
  Base::operator=(static_cast<Base&&>(other));
  cell_ = std::move(other.cell_);
  executor_ = std::move(other.executor_);
  return_sequences_ = other.return_sequences_;
  runs_ = other.runs_;
  first_sample_ = other.first_sample_;
  workspace_ = std::move(other.workspace_);
  return *this;
}

template <typename CellType>
Sequence<typename CellType::Scalar> Rnn<CellType>::operator()(const Sequence<Scalar>& x, const ContextType& context) {
  run<detail::full_lanes<Scalar>>(x, context, false);
  return rollout().output();
}

template <typename CellType>
const Sequence<typename CellType::Scalar>& Rnn<CellType>::forward(const Sequence<Scalar>& x,
                                                                  const ContextType& context) & {
  run<detail::full_lanes<Scalar>>(x, context, true);
  return rollout().output();
}

template <typename CellType>
void Rnn<CellType>::backward(const Sequence<Scalar>& d_output, const StateType* d_final_state) {
  if (!rollout().can_go_back()) detail::refuse("backward: call forward() first");
  gradient_.resize(parameters_.size());
  rollout().backward(cell(), parameters_.data(), parameters_.size(), d_output, d_final_state, gradient_.data());
}

template <typename CellType>
void Rnn<CellType>::parameters_changed() {
  cell().apply_constraints(parameters_.data());
  values_changed();
}

}  // namespace elegans
