// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <elegans/core/buffer.hpp>
#include <elegans/core/tuning.hpp>
#include <elegans/core/types.hpp>

namespace elegans::detail {

// mutate all: layer.tape_memory
/// The memory of a sequence's tiles: the states of each tile, its inputs, and the records of the last steps. There are
/// records for as many steps as fit `tuning::recorded_bytes`.
template <typename Scalar>
class TapeMemory {
 public:
  /// A tile: its first sample in the batch, and the offsets of its states, inputs and records in this memory.
  struct Tile {
    Index first;
    Index states, inputs, record;
  };

  /// Forgets all tiles.
  void clear(Index time) noexcept {
    time_ = time;
    tiles_.clear();
    states_size_ = inputs_size_ = record_size_ = 0;
  }

  /// Adds a tile. \param states, inputs  number of scalars for the whole sequence
  /// \param record  number of scalars per step; 0 for none
  void add_tile(Index first, Index states, Index inputs, Index record) {
    tiles_.push_back({first, states_size_, inputs_size_, record_size_});
    states_size_ += states;
    inputs_size_ += inputs;
    record_size_ += record;
  }

  /// Makes room for all tiles that were added. Allocates only beyond the largest size so far.
  void allocate() {
    const Index bytes_per_step = record_size_ * Index{sizeof(Scalar)};
    recorded_steps_ = record_size_ > 0 ? (std::min)(time_, tuning::recorded_bytes / bytes_per_step) : 0;
    grow(states_, states_size_);
    grow(inputs_, inputs_size_);
    grow(records_, recorded_steps_ * record_size_);
  }

  [[nodiscard]] Index tiles() const noexcept { return static_cast<Index>(tiles_.size()); }
  [[nodiscard]] const Tile& tile(Index i) const noexcept { return tiles_[static_cast<std::size_t>(i)]; }

  [[nodiscard]] Scalar* states(const Tile& tile) noexcept { return states_.data() + tile.states; }
  [[nodiscard]] Scalar* inputs(const Tile& tile) noexcept { return inputs_.data() + tile.inputs; }
  /// Memory for the record of step t of a tile, or null if that step is not recorded. \param size  scalars per step
  [[nodiscard]] Scalar* record(const Tile& tile, Index size, Index t) noexcept {
    const Index step = t - (time_ - recorded_steps_);
    if (size == 0 || step < 0) return nullptr;
    return records_.data() + tile.record * recorded_steps_ + step * size;
  }

 private:
  static void grow(Buffer<Scalar>& values, Index size) { values.resize((std::max)(values.size(), size)); }

  Index time_ = 0;
  std::vector<Tile> tiles_;
  Index states_size_ = 0, inputs_size_ = 0, record_size_ = 0;  // of all tiles; of their records, per step
  Index recorded_steps_ = 0;
  Buffer<Scalar> states_, inputs_, records_;
};

}  // namespace elegans::detail
