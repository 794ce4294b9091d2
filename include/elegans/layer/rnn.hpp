// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <elegans/cell/concepts.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/parameters.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/timespans.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/parameterized.hpp>
#include <elegans/layer/step.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/system/denormals.hpp>
#include <elegans/system/executor.hpp>

namespace elegans {

/// A cell over sequences: it owns the parameters, runs the cell step by step, and differentiates it through time
/// (BPTT).
///
/// An Rnn is a value: it copies, moves and sits in containers. It carries its own workspace, so one object serves one
/// thread; give each thread a copy. Nothing allocates once a shape has been seen.
///
/// A batch is cut into tiles of at most a packet's samples, which an executor may spread over cores. How it is cut, and
/// in which order the tiles' gradients are added, does not depend on it: the results are the same to the bit.
template <typename CellType>
class Rnn : public Parameterized<Rnn<CellType>, typename CellType::Scalar, CellType::parameter_capacity> {
  using Base = Parameterized<Rnn<CellType>, typename CellType::Scalar, CellType::parameter_capacity>;
  friend Base;

 public:
  static_assert(RecurrentCell<CellType>,
                "elegans::Rnn: the cell lacks members that a RecurrentCell has: see elegans/cell/concepts.hpp");

  using Cell = CellType;
  using Scalar = typename Cell::Scalar;
  static_assert(!std::numeric_limits<Scalar>::is_integer, "elegans::Rnn: the scalar must be float or double");
  static constexpr int state_size_at_compile_time = Cell::state_size_at_compile_time;

  /// A cell with parameters, at its initial values.
  ///
  /// \param return_sequences  the outputs of all steps, or of the last one only
  explicit Rnn(Cell cell, bool return_sequences = true);

  [[nodiscard]] const Cell& cell() const noexcept { return cell_; }
  /// Neurons.
  [[nodiscard]] Index units() const noexcept { return cell_.units(); }
  /// What a sample remembers: its neurons' potentials, and whatever memory the cell has besides.
  [[nodiscard]] Index state_size() const noexcept { return cell_.state_size(); }
  [[nodiscard]] Index input_dim() const noexcept { return cell_.input_dim(); }
  [[nodiscard]] Index output_dim() const noexcept { return cell_.output_dim(); }
  [[nodiscard]] bool return_sequences() const noexcept { return return_sequences_; }

  /// Spreads batches over an executor's workers from the next `forward` on; null, the default, for the calling thread
  /// alone. Copies of the model share it.
  void set_executor(std::shared_ptr<Executor> executor) {
    executor_ = std::move(executor);
    input_ = nullptr;  // what the last forward kept is cut for the one before
  }
  /// What batches are spread over; null for the calling thread alone.
  [[nodiscard]] const std::shared_ptr<Executor>& executor() const noexcept { return executor_; }

  /// Name, shape and place of each tensor in `parameters()` and `gradient()`.
  [[nodiscard]] const auto& parameter_list() const noexcept { return cell_.parameters(); }

  /// Takes over values as they are, from a file: calls `change` as `update` does, but explicit constraints wait for the
  /// next `update`.
  template <typename Change>
  void restore(Change&& change) {
    change(VectorView<Scalar>(parameters_.data(), parameters_.size()));
    values_changed();
  }

  // --- one step at a time -------------------------------------------------------------------------------------------

  /// The state before the first step, for a single stream: zeros; with fixed sizes, no heap.
  [[nodiscard]] auto initial_state() const {
    return State<Scalar, state_size_at_compile_time, state_size_at_compile_time == Dynamic ? Dynamic : 1>(1,
                                                                                                          state_size());
  }
  /// The same for a batch of streams.
  [[nodiscard]] State<Scalar, state_size_at_compile_time> initial_state(Index batch) const {
    return State<Scalar, state_size_at_compile_time>(batch, state_size());
  }

  /// Advances a state by one step, in place.
  ///
  /// \param x             (batch, input_dim) sensory values; for a single stream any vector of input_dim values
  /// \param elapsed_time  time since the last step, finite and >= 0; 0 leaves the state as it is
  /// \return              (batch, output_dim) outputs; a view that lasts until the next call
  /// \throws InvalidArgument if a shape differs or the time is negative or not finite
  /// \note   Neither allocates (after the first call with a larger batch) nor locks.
  template <typename Derived, int Batch>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Derived>& x,
                              State<Scalar, state_size_at_compile_time, Batch>& state,
                              Scalar elapsed_time = Scalar(1)) {
    Timespans<Scalar>::require_valid(elapsed_time, 0, 0);
    return step_with(x, state, [=](Index) { return elapsed_time; });
  }
  /// The same with an elapsed time for each stream.
  ///
  /// \param elapsed_times  (batch) or (batch, 1): one a stream
  template <typename Derived, int Batch, typename DerivedTimes>
  ConstArrayView<Scalar> step(const Eigen::DenseBase<Derived>& x,
                              State<Scalar, state_size_at_compile_time, Batch>& state,
                              const Eigen::DenseBase<DerivedTimes>& elapsed_times) {
    if (elapsed_times.size() != state.batch() || (elapsed_times.rows() != 1 && elapsed_times.cols() != 1)) {
      detail::refuse("step: elapsed_times must be a vector with one value a stream, ", state.batch(), ", got (",
                     elapsed_times.rows(), ", ", elapsed_times.cols(), ")");
    }
    const auto at = [&](Index b) { return static_cast<Scalar>(elapsed_times.derived().coeff(b)); };
    for (Index b = 0; b < state.batch(); ++b) Timespans<Scalar>::require_valid(at(b), 0, b);
    return step_with(x, state, at);
  }

  // --- sequences ----------------------------------------------------------------------------------------------------

  /// The outputs for a batch of sequences, (time, batch, output_dim), or (1, batch, output_dim) of the last step if
  /// `return_sequences` is false. Keeps nothing for a backward pass but the final state.
  /// \param x  (time, batch, input_dim), or a (time, input_dim) matrix for one sequence
  /// \throws InvalidArgument if a shape differs
  [[nodiscard]] Sequence<Scalar> operator()(const Sequence<Scalar>& x,
                                            const Context<Scalar, state_size_at_compile_time>& context = {}) {
    run<detail::full_lanes<Scalar>>(x, context, false);
    return output_;
  }

  /// The same, keeping what `backward` needs: one state a sub-step. `x` must live until then.
  /// \return the outputs; they last until the next call
  const Sequence<Scalar>& forward(const Sequence<Scalar>& x,
                                  const Context<Scalar, state_size_at_compile_time>& context = {}) {
    run<detail::full_lanes<Scalar>>(x, context, true);
    return output_;
  }

  /// Tells where in a training the next `forward` is: what dropout drops follows from that, so that a resumed training
  /// drops what one that never stopped would have. \param epoch  epochs before this one
  void begin_epoch(int epoch) noexcept { runs_ = static_cast<std::uint64_t>(epoch) << 32; }

  /// (batch, state_size): where the last sequence ended.
  [[nodiscard]] const State<Scalar, state_size_at_compile_time>& final_state() const noexcept { return final_state_; }

  /// Backpropagation through time: from dLoss/d(outputs) of the last `forward`, in its shape, to all gradients.
  /// \param d_final_state  dLoss/d(final state), if the loss depends on it besides
  /// \throws InvalidArgument if a shape differs, or without a `forward` since the parameters last changed
  void backward(const Sequence<Scalar>& d_output,
                const State<Scalar, state_size_at_compile_time>* d_final_state = nullptr) {
    if (!input_) detail::refuse("backward: call forward() first");
    (this->*go_back_)(d_output, d_final_state);
  }

  /// (time, batch, input_dim)
  [[nodiscard]] const Sequence<Scalar>& input_gradient() const noexcept { return d_input_; }
  /// (batch, state_size)
  [[nodiscard]] const State<Scalar, state_size_at_compile_time>& initial_state_gradient() const noexcept {
    return d_initial_state_;
  }
  /// (time, batch): with respect to each elapsed time, also where steps or samples share one.
  [[nodiscard]] ConstArrayView<Scalar> timespans_gradient() const noexcept {
    return {d_timespans_.data(), d_input_.time(), d_input_.batch()};
  }

 private:
  using Base::gradient_;
  using Base::parameters_;

  /// Where a tile begins: in the batch, on the tape, and among what is kept of one step.
  struct Tile {
    Index first = 0;
    Index tape = 0;
    Index kept = 0;
  };

  /// Room for a tile: samples that go through time together, one a lane. One a worker.
  struct Workspace {
    typename Cell::template Scratch<> scratch;
    typename Cell::Adjoint adjoint;
    Buffer<Scalar> states, x, y, d_v, d_x;
    Scalar* kept = nullptr;  ///< where what is kept of a tile's last steps begins
    Buffer<Scalar> held;     ///< a state, or its adjoint, for the samples whose step is masked
  };

  void parameters_changed() {
    cell_.constrain(parameters_.data());
    values_changed();
  }
  void values_changed() noexcept {
    packed_for_single_ = packed_for_batch_ = false;
    input_ = nullptr;  // what the last forward kept belongs to the old values
  }

  void pack(bool single) {
    bool& packed = single ? packed_for_single_ : packed_for_batch_;
    if (!packed) cell_.pack(parameters_.data(), single);
    packed = true;
  }

  /// Calls body<Lanes>(samples) with the lanes that suit the tile that begins at a sample.
  ///
  /// Width is the target's. It is part of the name of all that depends on how a batch is cut, and a forward pass says
  /// which backward pass goes with it, so that where translation units of different `-march` meet in a program the
  /// one's forward is not followed by the other's backward.
  template <int Width, typename Body>
  decltype(auto) with_tile(Index first, Index batch, Body&& body) {
    return detail::with_lanes<Scalar>(
        batch - first, units(),
        [&]<typename Lanes>() -> decltype(auto) {
          return body.template operator()<Lanes>(std::min(Lanes::samples, batch - first));
        },
        joins_tiles_&& batch - first >= 2 * detail::tile_lanes<Scalar>(batch) ? Index{detail::full_lanes<Scalar>}
                                                                              : detail::tile_lanes<Scalar>(batch));
  }

  /// Cuts a batch into tiles and makes room for them. \param keep  whether a backward pass will follow
  template <int Width>
  void cut(Index batch, bool keep);

  /// True if several workers share the tiles of the last sequence.
  [[nodiscard]] bool is_spread() const noexcept { return executor_ && executor_->workers() > 1 && tiles_.size() > 1; }

  /// Calls body<Lanes>(workspace, tile, first sample, samples, its tape) for each tile, perhaps several at a time.
  template <int Width, typename Body>
  void for_each_tile(Index batch, Body&& body);

  /// Which of a tile's samples take a step.
  template <typename Lanes>
  struct Present {
    bool sample[Lanes::samples]{};
    bool all = true;
    bool any = false;
  };
  template <typename Lanes>
  [[nodiscard]] Present<Lanes> present(Index t, Index first, Index samples) const noexcept {
    Present<Lanes> result{};
    for (Index b = 0; b < Lanes::samples; ++b) {
      result.sample[b] = b < samples && mask_(t, first + b);
      if (b < samples) {
        result.all = result.all && result.sample[b];
        result.any = result.any || result.sample[b];
      }
    }
    return result;
  }
  /// Puts back what was held of those samples that take no step.
  template <typename Lanes>
  void restore(const Workspace& space, const Present<Lanes>& present, Index samples, Scalar* values) const {
    for (Index i = 0; i < state_size(); ++i) {
      for (Index b = 0; b < samples; ++b) {
        if (!present.sample[b]) values[Lanes::at(i, b)] = space.held[Lanes::at(i, b)];
      }
    }
  }

  /// Tells a cell with dropout which step comes next. Only a `forward`, which trains, drops anything.
  void place_dropout([[maybe_unused]] Workspace& space, [[maybe_unused]] Index t, [[maybe_unused]] Index first,
                     [[maybe_unused]] bool training) const {
    if constexpr (requires { space.scratch.position; }) space.scratch.position = {training, runs_, t, first};
  }

  /// What a cell keeps of a step for its adjoint is kept of as many of the last steps as stay in the second-level
  /// cache: there it is faster than to compute it anew. So many bytes, and no more.
  static constexpr Index most_kept = Index{896} * 1024;
  static constexpr bool keeps_steps = requires(Workspace space) { space.scratch.kept; };
  template <typename Lanes>
  [[nodiscard]] Index kept_per_step() const noexcept {
    if constexpr (keeps_steps) return cell_.template kept_per_step<Lanes>();
    return 0;
  }
  /// Tells a cell where what it keeps of a step is, or that it keeps nothing.
  template <typename Lanes>
  void place_kept([[maybe_unused]] Workspace& space, [[maybe_unused]] Index t) const noexcept {
    if constexpr (keeps_steps) {
      const Index kept = t - (time_ - kept_steps_);
      space.scratch.kept = kept >= 0 ? space.kept + kept * kept_per_step<Lanes>() : nullptr;
    }
  }

  template <typename Derived, int Batch, typename TimeOf>
  auto step_with(const Eigen::DenseBase<Derived>& x, State<Scalar, state_size_at_compile_time, Batch>& state,
                 TimeOf time_of) -> ConstArrayView<Scalar>;
  template <int Width>
  void run(const Sequence<Scalar>& x, const Context<Scalar, state_size_at_compile_time>& context, bool keep);
  template <int Width>
  void go_back(const Sequence<Scalar>& d_output, const State<Scalar, state_size_at_compile_time>* d_final_state);

  template <typename Lanes>
  [[nodiscard]] Index tape_size() const noexcept {
    return (time_ * cell_.states_per_step() + 1) * detail::extent<Lanes>(state_size());
  }

  template <typename Lanes>
  void forward_tile(Workspace& space, const Sequence<Scalar>& x,
                    const Context<Scalar, state_size_at_compile_time>& context, Index first, Index samples,
                    Scalar* states, bool keep);
  template <typename Lanes>
  void backward_tile(Workspace& space, const Sequence<Scalar>& d_output,
                     const State<Scalar, state_size_at_compile_time>* d_final_state, Index first, Index samples,
                     const Scalar* states);
  template <typename Lanes>
  void collect_tile(Workspace& space, Index tile);

  Cell cell_;
  std::shared_ptr<Executor> executor_;
  bool return_sequences_;
  bool packed_for_single_ = false;
  bool packed_for_batch_ = false;
  detail::StepSpace<Cell> step_space_;
  Workspace batch_step_space_;
  Buffer<Scalar> step_output_;

  // Of the last sequence.
  Index time_ = 0;
  void (Rnn::*go_back_)(const Sequence<Scalar>&, const State<Scalar, state_size_at_compile_time>*) = nullptr;
  std::uint64_t runs_ = 0;  // forward passes that kept a tape, so far in this epoch
  const Sequence<Scalar>* input_ = nullptr;
  bool joins_tiles_ = false;  // two half tiles in one packet, if no other worker would take one of them
  std::vector<Tile> tiles_;
  std::vector<Workspace> spaces_;  // one a worker
  Buffer<Scalar> tape_;            // states, tile after tile
  Index kept_steps_ = 0;           // see most_kept
  Buffer<Scalar> kept_;            // of those steps, tile after tile
  Buffer<Scalar> tile_gradients_;  // of tiles but the first, for their sum in order
  Sequence<Scalar> timespans_;     // (time, batch, 1)
  Mask mask_;
  Sequence<Scalar> output_;
  State<Scalar, state_size_at_compile_time> final_state_;
  Sequence<Scalar> d_input_;
  State<Scalar, state_size_at_compile_time> d_initial_state_;
  Buffer<Scalar> d_timespans_;
};

}  // namespace elegans

#include <elegans/layer/rnn_run.hpp>
