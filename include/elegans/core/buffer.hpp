// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

namespace detail {

/// Memory on cache-line boundaries, whatever the instruction set, so that no packet straddles two lines.
template <typename T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};

  CacheLineAllocator() = default;
  template <typename U>
  CacheLineAllocator(const CacheLineAllocator<U>&) noexcept {}

  [[nodiscard]] T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), alignment)); }
  void deallocate(T* memory, std::size_t) noexcept { ::operator delete(memory, alignment); }
  friend bool operator==(CacheLineAllocator, CacheLineAllocator) noexcept { return true; }
};

}  // namespace detail

/// The storage of every value in the library: contiguous, in place where the size is known to the
/// compiler, on the heap where it is `Dynamic`.
///
/// Eigen's own arrays change their alignment, and the way they free their memory, with the instruction set
/// that a translation unit is compiled for. A Buffer never does, so objects may cross between translation
/// units of different `-march`, and need no alignment macro in a user's class. Eigen sees it through Maps.
///
/// \tparam Capacity  largest size, held in place; or Dynamic, for a `std::vector`
template <typename T, int Capacity = Dynamic>
class Buffer {
 public:
  static_assert(Capacity >= 0, "elegans::Buffer: the capacity must not be negative");

  Buffer() = default;
  explicit Buffer(Index size) { resize(size); }

  /// Keeps the values that are there; new ones are zero. \throws InvalidArgument above the capacity
  void resize(Index size) {
    if (size > Capacity) detail::refuse("Buffer: size must be at most ", Capacity, ", got ", size);
    for (Index i = size_; i < size; ++i) values_[static_cast<std::size_t>(i)] = T{};
    size_ = size;
  }

  [[nodiscard]] Index size() const noexcept { return size_; }
  [[nodiscard]] T* data() noexcept { return values_.data(); }
  [[nodiscard]] const T* data() const noexcept { return values_.data(); }
  [[nodiscard]] T& operator[](Index i) noexcept { return values_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] const T& operator[](Index i) const noexcept { return values_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] auto begin() const noexcept { return data(); }
  [[nodiscard]] auto end() const noexcept { return data() + size_; }

 private:
  std::array<T, static_cast<std::size_t>(Capacity)> values_{};
  Index size_ = 0;
};

/// The same on the heap, of any size.
template <typename T>
class Buffer<T, Dynamic> {
 public:
  Buffer() = default;
  explicit Buffer(Index size) : values_(static_cast<std::size_t>(size)) {}

  /// Allocates only beyond the largest size there ever was.
  void resize(Index size) { values_.resize(static_cast<std::size_t>(size)); }

  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(values_.size()); }
  [[nodiscard]] T* data() noexcept { return values_.data(); }
  [[nodiscard]] const T* data() const noexcept { return values_.data(); }
  [[nodiscard]] T& operator[](Index i) noexcept { return values_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] const T& operator[](Index i) const noexcept { return values_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] auto begin() const noexcept { return data(); }
  [[nodiscard]] auto end() const noexcept { return data() + size(); }

 private:
  std::vector<T, detail::CacheLineAllocator<T>> values_;
};

}  // namespace elegans
