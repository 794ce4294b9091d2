// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <elegans/core/types.hpp>

namespace elegans::detail {

// mutate all: layer.packed_cell
/// A cell, which packs the parameters for its kernels when somebody first needs them.
///
/// Its owner uses it as any value. Besides, any number of threads may copy it and call `packed` at the same time, as
/// long as nobody changes it.
template <typename Cell>
class PackedCell {
 public:
  using Scalar = typename Cell::Scalar;

  explicit PackedCell(Cell cell) : cell_(std::move(cell)) {}
  PackedCell(const PackedCell& other) : PackedCell(other, Lock(other.lock_)) {}
  PackedCell(PackedCell&& other) noexcept(std::is_nothrow_move_constructible_v<Cell>)
      : cell_(std::move(other.cell_)), for_single_(other.for_single_.load()), for_batch_(other.for_batch_.load()) {}
  PackedCell& operator=(const PackedCell& other) {
    if (this != &other) *this = PackedCell(other);
    return *this;
  }
  PackedCell& operator=(PackedCell&& other) noexcept(std::is_nothrow_move_assignable_v<Cell>) {
    cell_ = std::move(other.cell_);
    for_single_ = other.for_single_.load();
    for_batch_ = other.for_batch_.load();
    ++changes_;
    return *this;
  }
  ~PackedCell() = default;

  [[nodiscard]] const Cell& get() const noexcept { return cell_; }

  /// The parameters have changed: the next one who needs them packs them.
  void forget() noexcept {
    for_single_ = for_batch_ = false;
    ++changes_;
  }
  /// How often the parameters have changed. A tape belongs to the parameters of its time.
  [[nodiscard]] std::uint64_t changes() const noexcept { return changes_; }

  /// Packs the parameters for batches or for single samples, unless they are packed. For the owner.
  void pack(const Scalar* parameters, bool single) { pack_once(parameters, single); }

  /// The cell, with its parameters packed for batches and for single samples. For any thread.
  const Cell& packed(const Scalar* parameters) const {
    if (for_single_.load(std::memory_order_acquire) && for_batch_.load(std::memory_order_acquire)) return cell_;
    const Lock lock(lock_);
    // Another thread may have packed in the meantime, and may read the cell now. So do not pack again.
    pack_once(parameters, true);
    pack_once(parameters, false);
    return cell_;
  }

 private:
  /// Holds the lock. It spins, because a microcontroller may have no threads, and packing is short.
  class Lock {
   public:
    explicit Lock(std::atomic_flag& flag) noexcept : flag_(flag) {
      while (flag_.test_and_set(std::memory_order_acquire)) {
      }
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() { flag_.clear(std::memory_order_release); }

   private:
    std::atomic_flag& flag_;
  };

  PackedCell(const PackedCell& other, const Lock&)
      : cell_(other.cell_), for_single_(other.for_single_.load()), for_batch_(other.for_batch_.load()) {}

  void pack_once(const Scalar* parameters, bool single) const {
    std::atomic<bool>& packed = single ? for_single_ : for_batch_;
    if (packed.load(std::memory_order_relaxed)) return;
    cell_.pack(parameters, single);
    packed.store(true, std::memory_order_release);
  }

  // What is packed is a cache of the parameters.
  mutable Cell cell_;
  mutable std::atomic<bool> for_single_ = false, for_batch_ = false;
  mutable std::atomic_flag lock_ = ATOMIC_FLAG_INIT;
  std::uint64_t changes_ = 0;
};

}  // namespace elegans::detail
