// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <elegans/core/types.hpp>
#include <elegans/simd/layout.hpp>

namespace elegans {

// mutate all: layer.tape
/// The states of a tile of samples, in the order of time. State 0 is the initial one, and each sub-step makes the next.
/// An adjoint needs a tape that stores all states. Without an adjoint, two states are enough: the tape then alternates
/// between them.
template <typename Scalar>
class Tape {
 public:
  /// \param memory      room for all states, or for two
  /// \param extent      number of scalars per state
  /// \param stores_all  false to alternate between two states
  Tape(Scalar* memory, Index extent, bool stores_all) noexcept
      : memory_(memory), extent_(extent), number_mask_(stores_all ? Index{-1} : Index{1}) {}

  /// State k.
  [[nodiscard]] Scalar* operator()(Index k) const noexcept { return memory_ + ((first_ + k) & number_mask_) * extent_; }

  /// The tape from state k on: that state becomes state 0.
  [[nodiscard]] Tape from(Index k) const noexcept {
    Tape tape = *this;
    tape.first_ += k;
    return tape;
  }

 private:
  Scalar* memory_;
  Index extent_;
  Index number_mask_;  // state k lies where state (k & number_mask_) does
  Index first_ = 0;    // the number in memory of state 0
};

/// Says which step of a training run this is. Dropout depends on this alone, so a backward pass drops the same values
/// as its forward pass, however the batch was cut into tiles.
struct StepPosition {
  bool training = false;  ///< otherwise nothing is dropped
  std::uint64_t run = 0;  ///< forward passes before this one
  Index time = 0;
  Index first_sample = 0;  ///< of the tile, in the batch
};

namespace detail {

/// The number of passes before one of a training. Epochs are far apart, however many passes they have.
constexpr std::uint64_t passes_before(int epoch, int passes) noexcept {
  return (static_cast<std::uint64_t>(epoch) << 32) + static_cast<std::uint64_t>(passes);
}

}  // namespace detail

/// One step of a tile of samples: what a cell reads and what it writes. The layout `Lanes` says how the values lie in
/// memory.
template <LaneLayout Lanes>
struct Step {
  using Scalar = typename Lanes::Scalar;

  const Scalar* x;             ///< (input_dim) inputs
  const Scalar* elapsed;       ///< elapsed time per sample, at least 0
  Tape<Scalar> states;         ///< states(0) is given; the cell writes states(1) … states(states_per_step())
  Scalar* record = nullptr;    ///< `record_size` values that a `RecordingCell` leaves for its adjoint; or null
  StepPosition position = {};  ///< which step and samples these are
};

/// The adjoint of a step: what a cell reads and what it writes.
template <LaneLayout Lanes>
struct StepAdjoint {
  using Scalar = typename Lanes::Scalar;

  Scalar* d_state;    ///< (state_size) of the state after the step; the cell overwrites it with that of the one before
  Scalar* d_x;        ///< (input_dim) written
  Scalar* d_elapsed;  ///< per sample, written
};

}  // namespace elegans
