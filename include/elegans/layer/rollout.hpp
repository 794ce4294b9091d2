// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <elegans/cell/concepts.hpp>
#include <elegans/cell/step.hpp>
#include <elegans/core/buffer.hpp>
#include <elegans/core/context.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>
#include <elegans/core/types.hpp>
#include <elegans/layer/shapes.hpp>
#include <elegans/layer/step_mask.hpp>
#include <elegans/layer/tape.hpp>
#include <elegans/layer/tiling.hpp>
#include <elegans/simd/layout.hpp>
#include <elegans/system/denormals.hpp>
#include <elegans/system/executor.hpp>

namespace elegans::detail {

// mutate all: layer.rollout
/// Runs a cell over a batch of sequences, and back. It has the tapes of the last forward pass and the results of both
/// passes. It owns a copy of everything that a backward pass needs, so the caller's data may go out of scope in
/// between.
///
/// The batch is cut into tiles, which an executor may spread over its workers.
template <typename Cell>
class Rollout {
 public:
  using Scalar = typename Cell::Scalar;
  using StateType = State<Scalar, Cell::state_size_at_compile_time>;
  using ContextType = Context<Scalar, Cell::state_size_at_compile_time>;

  /// The options of a forward pass.
  struct Pass {
    bool return_sequences = true;  ///< otherwise the last outputs only
    bool has_tape = false;         ///< whether a backward pass may follow
    std::uint64_t run = 0;         ///< passes with a tape before this one, for dropout
    Index first_sample = 0;        ///< of the batch that these samples are a part of, for dropout
    Executor* executor = nullptr;
  };

  explicit Rollout(const Cell& cell) : final_state_(0, cell.state_size()), d_initial_state_(0, cell.state_size()) {}

  /// Checks the shapes and cuts the batch into tiles. `forward` must follow, with the cell packed for them.
  template <int Width>
  void begin(const Cell& cell, const Sequence<Scalar>& x, const ContextType& context, const Pass& pass) {
    require_forward_shape(x, context, cell.input_dim(), cell.state_size());
    can_go_back_ = false;  // until all is well: a user's cell may throw
    pass_ = pass;
    time_ = x.time();
    batch_ = x.batch();
    mask_ = context.mask;
    timespans_ = context.timespans;
    output_.resize(pass.return_sequences ? time_ : 1, batch_, cell.output_dim());
    final_state_.resize(batch_);
    const std::size_t workers = pass.executor ? static_cast<std::size_t>(pass.executor->workers()) : 1;
    if (spaces_.size() < workers) spaces_.resize(workers);
    has_single_tile_ = has_batch_tile_ = false;
    memory_.clear(time_);
    tiling<Width>(cell).for_each_tile([&]<LaneLayout Lanes>(Index first, Index) {
      (Lanes::single ? has_single_tile_ : has_batch_tile_) = true;
      const Index states = pass_.has_tape ? time_ * cell.states_per_step() + 1 : 2;
      const Index inputs = pass_.has_tape ? time_ : 1;
      memory_.add_tile(first, states * extent<Lanes>(cell.state_size()), inputs * extent<Lanes>(cell.input_dim()),
                       pass_.has_tape ? record_size<Lanes>(cell) : 0);
    });
    memory_.allocate();
  }
  [[nodiscard]] bool has_single_tile() const noexcept { return has_single_tile_; }
  [[nodiscard]] bool has_batch_tile() const noexcept { return has_batch_tile_; }

  /// Runs the cell over the data that `begin` checked.
  template <int Width>
  void forward(const Cell& cell, const Sequence<Scalar>& x, const ContextType& context) {
    for_each_tile<Width>(cell, [&]<LaneLayout Lanes>(Workspace& space, Index i, Index samples) {
      forward_tile<Lanes>(cell, space, memory_.tile(i), samples, x, context);
    });
    backward_ = &Rollout::template backward_for<Width>;
    can_go_back_ = pass_.has_tape;
  }

  [[nodiscard]] bool can_go_back() const noexcept { return can_go_back_; }
  /// Forgets the tape, because it belongs to other parameters or to another executor.
  void forget() noexcept { can_go_back_ = false; }

  /// Goes back through the tape.
  ///
  /// \param parameters  (count) those of the forward pass
  /// \param gradient    (count) written
  void backward(const Cell& cell, const Scalar* parameters, Index count, const Sequence<Scalar>& d_output,
                const StateType* d_final_state, Scalar* gradient) {
    require_backward_shape(d_output, d_final_state, output_, cell.state_size());
    // Call the code for the target that cut the tiles. One program may contain code for several targets.
    (this->*backward_)(cell, {parameters, gradient, count}, d_output, d_final_state);
  }

  [[nodiscard]] const Sequence<Scalar>& output() const noexcept { return output_; }
  [[nodiscard]] const StateType& final_state() const noexcept { return final_state_; }
  [[nodiscard]] const Sequence<Scalar>& d_input() const noexcept { return d_input_; }
  [[nodiscard]] const StateType& d_initial_state() const noexcept { return d_initial_state_; }
  /// (time, batch)
  [[nodiscard]] ConstArrayView<Scalar> d_timespans() const noexcept {
    return {d_timespans_.data(), d_input_.time(), d_input_.batch()};
  }

 private:
  using Memory = TapeMemory<Scalar>;
  using Tile = typename Memory::Tile;

  /// Room for one tile at a time; each worker has its own.
  struct Workspace {
    typename Cell::template Scratch<> scratch;
    typename Cell::Adjoint adjoint;
    Buffer<Scalar> y, d_state, d_x;
    Buffer<Scalar> held;  ///< copy of a state, or of its adjoint, for the samples that do not take a step
  };

  struct Parameters {
    const Scalar* values;
    Scalar* gradient;
    Index count;
  };

  template <LaneLayout Lanes>
  [[nodiscard]] static Index record_size([[maybe_unused]] const Cell& cell) noexcept {
    if constexpr (RecordingCell<Cell>) return cell.template record_size<Lanes>();
    return 0;
  }

  template <int Width>
  [[nodiscard]] Tiling<Scalar, Width> tiling(const Cell& cell) const noexcept {
    const bool one_worker = !pass_.executor || pass_.executor->workers() == 1;
    return {batch_, cell.units(), SampleSumsCell<Cell> && one_worker};
  }

  /// True if several workers share the tiles.
  [[nodiscard]] bool is_spread() const noexcept {
    return pass_.executor && pass_.executor->workers() > 1 && memory_.tiles() > 1;
  }

  /// Calls body<Lanes>(workspace, tile, samples) for each tile, several at a time if they are spread.
  template <int Width, typename Body>
  void for_each_tile(const Cell& cell, Body&& body) {
    const auto run = [&, tiles = tiling<Width>(cell)](Index i, int worker) {
      tiles.with_tile(memory_.tile(i).first, [&]<LaneLayout Lanes>(Index samples) {
        body.template operator()<Lanes>(spaces_[static_cast<std::size_t>(worker)], i, samples);
      });
    };
    if (is_spread()) {
      pass_.executor->run(memory_.tiles(), run);
    } else {
      for (Index i = 0; i < memory_.tiles(); ++i) run(i, 0);
    }
  }

  static Scalar* zeros(Buffer<Scalar>& values, Index size) {
    values.resize((std::max)(values.size(), size));
    std::fill_n(values.data(), values.size(), Scalar(0));
    return values.data();
  }

  /// Step t of a tile. \param elapsed  written
  template <LaneLayout Lanes>
  [[nodiscard]] Step<Lanes> make_step(const Cell& cell, const Tile& tile, const StepMask<Lanes>& mask, Index t,
                                      const Tape<Scalar>& tape, Scalar (&elapsed)[Lanes::samples]) {
    for (Index b = 0; b < Lanes::samples; ++b) elapsed[b] = mask[b] ? timespans_(t, tile.first + b) : Scalar(0);
    return {.x = inputs_of<Lanes>(cell, tile, t),
            .elapsed = elapsed,
            .states = tape.from(t * cell.states_per_step()),
            .record = memory_.record(tile, pass_.has_tape ? record_size<Lanes>(cell) : 0, t),
            .position = {pass_.has_tape, pass_.run, t, pass_.first_sample + tile.first}};
  }
  template <LaneLayout Lanes>
  [[nodiscard]] Scalar* inputs_of(const Cell& cell, const Tile& tile, Index t) noexcept {
    return memory_.inputs(tile) + (pass_.has_tape ? t : 0) * extent<Lanes>(cell.input_dim());
  }

  template <LaneLayout Lanes>
  void forward_tile(const Cell& cell, Workspace& space, const Tile& tile, Index samples, const Sequence<Scalar>& x,
                    const ContextType& context) {
    const Index state_extent = extent<Lanes>(cell.state_size());
    const Index sub_steps = cell.states_per_step();
    cell.template reserve<Lanes>(space.scratch);
    zeros(space.y, extent<Lanes>(cell.output_dim()));
    zeros(space.held, state_extent);
    const Tape<Scalar> tape(memory_.states(tile), state_extent, pass_.has_tape);
    std::fill_n(tape(0), state_extent, Scalar(0));
    if (context.initial_state) {
      const auto initial = context.initial_state->array();
      to_lanes<Lanes>(cell.state_size(), samples, tape(0),
                      [&](Index b, Index i) { return initial(tile.first + b, i); });
    }
    Scalar elapsed[Lanes::samples];
    for (Index t = 0; t < time_; ++t) {
      const StepMask<Lanes> mask(mask_, t, tile.first, samples);
      Scalar* const before = tape(t * sub_steps);
      Scalar* const after = tape((t + 1) * sub_steps);
      if (mask.any()) {
        // The input of a masked step may be anything, NaN included.
        const auto x_t = x.step(t);
        Scalar* const x_lanes = inputs_of<Lanes>(cell, tile, t);
        to_lanes<Lanes>(cell.input_dim(), samples, x_lanes,
                        [&](Index b, Index f) { return mask[b] ? x_t(tile.first + b, f) : Scalar(0); });
        const Index filled = Lanes::index(cell.input_dim(), 0);
        std::fill(x_lanes + filled, x_lanes + extent<Lanes>(cell.input_dim()), Scalar(0));
        if (!mask.all()) std::copy_n(before, state_extent, space.held.data());
        cell.step(make_step<Lanes>(cell, tile, mask, t, tape, elapsed), space.scratch);
        if (!mask.all()) mask.copy_masked(cell.state_size(), space.held.data(), after);
      } else if (before != after) {
        std::copy_n(before, state_extent, after);
      }
      if (!pass_.return_sequences && t + 1 < time_) continue;
      cell.template output<Lanes>(after, space.y.data());
      auto y = output_.step(pass_.return_sequences ? t : 0);
      from_lanes<Lanes>(cell.output_dim(), samples, space.y.data(),
                        [&](Index b, Index o, Scalar value) { y(tile.first + b, o) = value; });
    }
    auto final_state = final_state_.array();
    from_lanes<Lanes>(cell.state_size(), samples, tape(time_ * sub_steps),
                      [&](Index b, Index i, Scalar value) { final_state(tile.first + b, i) = value; });
  }

  template <int Width>
  void backward_for(const Cell& cell, Parameters parameters, const Sequence<Scalar>& d_output,
                    const StateType* d_final_state) {
    std::fill_n(parameters.gradient, parameters.count, Scalar(0));
    d_input_.resize(time_, batch_, cell.input_dim());
    d_initial_state_.resize(batch_);
    d_timespans_.resize(time_ * batch_);
    // Tiles that run at the same time need a gradient each. Otherwise all but the first share one.
    const Index gradients = is_spread() ? memory_.tiles() - 1 : 1;
    zeros(tile_gradients_, gradients * parameters.count);
    for_each_tile<Width>(cell, [&]<LaneLayout Lanes>(Workspace& space, Index i, Index samples) {
      const FlushDenormals flush;
      backward_tile<Lanes>(cell, space, memory_.tile(i), samples, d_output, d_final_state);
      collect_tile<Lanes>(cell, space, i, tiling<Width>(cell).template is_joined<Lanes>(), parameters);
    });
    // A sum of the tiles' gradients may be denormal, as one that a tile adds. It has the same bits only if both flush.
    const FlushDenormals flush;
    for (Index i = 0; is_spread() && i < gradients; ++i) {
      VectorView<Scalar>(parameters.gradient, parameters.count) +=
          ConstVectorView<Scalar>(tile_gradients_.data() + i * parameters.count, parameters.count);
    }
  }

  template <LaneLayout Lanes>
  void backward_tile(const Cell& cell, Workspace& space, const Tile& tile, Index samples,
                     const Sequence<Scalar>& d_output, const StateType* d_final_state) {
    const Index state_extent = extent<Lanes>(cell.state_size());
    const Index sub_steps = cell.states_per_step();
    const Tape<Scalar> tape(memory_.states(tile), state_extent, true);
    cell.template reserve<Lanes>(space.scratch);
    cell.template reset<Lanes>(space.adjoint);
    zeros(space.held, state_extent);  // this worker may have gone forward through other tiles, or through none
    Scalar d_elapsed[Lanes::samples];
    Scalar elapsed[Lanes::samples];
    Scalar* const d_y = zeros(space.y, extent<Lanes>(cell.output_dim()));
    const StepAdjoint<Lanes> d{zeros(space.d_state, state_extent), zeros(space.d_x, extent<Lanes>(cell.input_dim())),
                               d_elapsed};
    if (d_final_state) {
      const auto adjoint = d_final_state->array();
      to_lanes<Lanes>(cell.state_size(), samples, d.d_state,
                      [&](Index b, Index i) { return adjoint(tile.first + b, i); });
    }
    for (Index t = time_ - 1; t >= 0; --t) {
      if (pass_.return_sequences || t == time_ - 1) {
        const auto d_y_t = d_output.step(pass_.return_sequences ? t : 0);
        to_lanes<Lanes>(cell.output_dim(), samples, d_y, [&](Index b, Index o) { return d_y_t(tile.first + b, o); });
        cell.template output_backward<Lanes>(tape((t + 1) * sub_steps), d_y, d.d_state, space.adjoint);
      }
      const StepMask<Lanes> mask(mask_, t, tile.first, samples);
      if (mask.any()) {
        if (!mask.all()) {
          std::copy_n(d.d_state, state_extent, space.held.data());
          mask.clear_masked(cell.state_size(), d.d_state);
        }
        cell.step_backward(make_step<Lanes>(cell, tile, mask, t, tape, elapsed), d, space.scratch, space.adjoint);
        if (!mask.all()) mask.copy_masked(cell.state_size(), space.held.data(), d.d_state);
      } else {
        std::fill_n(d.d_x, extent<Lanes>(cell.input_dim()), Scalar(0));
        std::fill_n(d.d_elapsed, Lanes::samples, Scalar(0));
      }
      auto d_x_t = d_input_.step(t);
      from_lanes<Lanes>(cell.input_dim(), samples, d.d_x,
                        [&](Index b, Index f, Scalar value) { d_x_t(tile.first + b, f) = value; });
      for (Index b = 0; b < samples; ++b) d_timespans_[t + time_ * (tile.first + b)] = d_elapsed[b];
    }
    auto d_initial_state = d_initial_state_.array();
    from_lanes<Lanes>(cell.state_size(), samples, d.d_state,
                      [&](Index b, Index i, Scalar value) { d_initial_state(tile.first + b, i) = value; });
  }

  /// Adds the gradient of a tile.
  ///
  /// \param is_joined  whether the tile is two small tiles, whose gradients are then added one after the other
  template <LaneLayout Lanes>
  void collect_tile(const Cell& cell, Workspace& space, Index tile, [[maybe_unused]] bool is_joined,
                    const Parameters& parameters) {
    // Each tile sums up its gradient from zero, and adds it afterwards. If it added to the gradient directly, a
    // compiler might fuse the last product with that addition, which rounds differently.
    const auto add = [&]<LaneLayout Part>() {
      Scalar* const own = tile_gradients_.data();
      std::fill_n(own, parameters.count, Scalar(0));
      cell.template collect<Part>(space.adjoint, parameters.values, own);
      VectorView<Scalar>(parameters.gradient, parameters.count) += ConstVectorView<Scalar>(own, parameters.count);
    };
    if constexpr (SampleSumsCell<Cell> && Lanes::lanes > tuning::small_tile && !Lanes::single) {
      if (is_joined) {
        cell.template collect<HalfOf<Lanes, 0>>(space.adjoint, parameters.values, parameters.gradient);
        add.template operator()<HalfOf<Lanes, 1>>();
        return;
      }
    }
    if (tile == 0) {
      cell.template collect<Lanes>(space.adjoint, parameters.values, parameters.gradient);
    } else if (is_spread()) {
      cell.template collect<Lanes>(space.adjoint, parameters.values,
                                   tile_gradients_.data() + (tile - 1) * parameters.count);
    } else {
      add.template operator()<Lanes>();
    }
  }

  // Of the last forward pass.
  Pass pass_;
  Index time_ = 0;
  Index batch_ = 0;
  Extent<bool> can_go_back_ = false;
  bool has_single_tile_ = false, has_batch_tile_ = false;
  void (Rollout::*backward_)(const Cell&, Parameters, const Sequence<Scalar>&, const StateType*) = nullptr;
  Memory memory_;
  std::vector<Workspace> spaces_;  // one per worker
  Mask mask_;
  Timespans<Scalar> timespans_;
  Sequence<Scalar> output_;
  StateType final_state_;

  // Of the last backward pass.
  Buffer<Scalar> tile_gradients_;  // of all tiles but the first, for their sum in order
  Sequence<Scalar> d_input_;
  StateType d_initial_state_;
  Buffer<Scalar> d_timespans_;
};

}  // namespace elegans::detail
