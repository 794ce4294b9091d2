// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

// mutate all: layer.tape
/// The states of a tile of samples, one after the other: state 0 is the first, and each sub-step makes the next. A tape
/// that keeps all of them serves an adjoint. Where nothing goes back, two of them take turns in the same memory.
template <typename Scalar>
class Tape {
 public:
  /// \param memory   for all states, or for two
  /// \param extent   number of scalars per state
  /// \param keeps_all  false if two states take turns
  Tape(Scalar* memory, Index extent, bool keeps_all) noexcept
      : memory_(memory), extent_(extent), kept_(keeps_all ? Index{-1} : Index{1}) {}

  /// The k-th state from where the tape stands.
  [[nodiscard]] Scalar* operator()(Index k) const noexcept { return memory_ + ((position_ + k) & kept_) * extent_; }

  /// The same tape, its state 0 being the k-th of this one.
  [[nodiscard]] Tape from(Index k) const noexcept {
    Tape tape = *this;
    tape.position_ += k;
    return tape;
  }

 private:
  Scalar* memory_;
  Index extent_;
  Index kept_;  // bits of a state's number that choose its memory
  Index position_ = 0;
};

/// Which step of a training run this is. Dropout depends on nothing else, so that a backward pass drops the same values
/// as its forward pass did, however the batch was cut into tiles.
struct StepPosition {
  bool training = false;  ///< otherwise nothing is dropped
  std::uint64_t run = 0;  ///< forward passes before this one
  Index time = 0;
  Index first_sample = 0;  ///< of the tile
};

/// A step of a tile of samples, as a cell takes it. All values lie as `Lanes` says.
template <LaneLayout Lanes>
struct Step {
  using Scalar = typename Lanes::Scalar;

  const Scalar* x;           ///< (input_dim) inputs
  const Scalar* elapsed;     ///< elapsed time per sample, at least 0
  Tape<Scalar> states;       ///< states(0) is given; the cell writes states(1) … states(states_per_step())
  Scalar* record = nullptr;  ///< `record_size` values that a `RecordingCell` leaves for its adjoint; or null
  StepPosition position = {};
};

/// The adjoint of a step: what comes in, and where the results go.
template <LaneLayout Lanes>
struct StepAdjoint {
  using Scalar = typename Lanes::Scalar;

  Scalar* d_state;    ///< (state_size) of the state after the step; the cell overwrites it with that of the one before
  Scalar* d_x;        ///< (input_dim) written
  Scalar* d_elapsed;  ///< per sample, written
};

}  // namespace elegans
