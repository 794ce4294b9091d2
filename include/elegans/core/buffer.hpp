// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

namespace detail {

/// Allocates on cache-line boundaries, whatever the instruction set, so that no packet straddles two lines.
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

/// The storage of every value in the library. It is contiguous: inside the object if the compiler knows the size, on
/// the heap if the size is `Dynamic`.
///
/// Eigen's own arrays change their alignment, and the way they free their memory, with the instruction set that a
/// translation unit is compiled for. A Buffer never does. So objects may cross between translation units of different
/// `-march`, and a user's class needs no alignment macro. Eigen sees a Buffer through Maps.
///
/// A Buffer of fixed size keeps its values when it is moved from: a move copies. A Buffer on the heap is then empty.
///
/// \tparam Capacity  the largest size, held in place; or Dynamic, for a `std::vector`
template <typename T, int Capacity = Dynamic>
class Buffer {
 public:
  static_assert(Capacity >= 0, "elegans::Buffer: the capacity must not be negative");

  Buffer() = default;
  /// That many zeros. \throws InvalidArgument unless 0 <= size <= Capacity
  explicit Buffer(Index size) { resize(size); }
  Buffer(const Buffer&) = default;
  /// Copies all values.
  Buffer& operator=(const Buffer&) = default;
  ~Buffer() = default;

  /// Keeps the values that fit; new ones are zero. \throws InvalidArgument unless 0 <= size <= Capacity
  void resize(Index size) {
    if (size < 0 || size > Capacity) detail::refuse("Buffer: size must be in [0, ", Capacity, "], got ", size);
    for (Index i = size_; i < size; ++i) values_[static_cast<std::size_t>(i)] = T{};
    size_ = size;
  }

  [[nodiscard]] Index size() const noexcept { return size_; }
  [[nodiscard]] T* data() & noexcept { return values_.data(); }
  [[nodiscard]] const T* data() const& noexcept { return values_.data(); }
  void data() const&& = delete;
  [[nodiscard]] T& operator[](Index i) & noexcept { return values_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] const T& operator[](Index i) const& noexcept { return values_[static_cast<std::size_t>(i)]; }
  void operator[](Index i) const&& = delete;
  [[nodiscard]] T* begin() & noexcept { return data(); }
  [[nodiscard]] T* end() & noexcept { return data() + size(); }
  [[nodiscard]] const T* begin() const& noexcept { return data(); }
  [[nodiscard]] const T* end() const& noexcept { return data() + size_; }
  void begin() const&& = delete;
  void end() const&& = delete;

 private:
  std::array<T, static_cast<std::size_t>(Capacity)> values_{};
  Index size_ = 0;
};

/// A Buffer of any size, on the heap.
template <typename T>
class Buffer<T, Dynamic> {
 public:
  Buffer() = default;
  /// That many zeros. \throws InvalidArgument if the size is negative or exceeds the address space
  explicit Buffer(Index size) { resize(size); }
  Buffer(const Buffer&) = default;
  /// Copies all values.
  Buffer& operator=(const Buffer&) = default;
  Buffer(Buffer&& other) noexcept = default;
  /// Takes the values and leaves the other buffer empty. A buffer that is moved to itself keeps its values.
  Buffer& operator=(Buffer&& other) noexcept {
    values_ = std::exchange(other.values_, {});  // the move of the vector itself would lose them
    return *this;
  }
  ~Buffer() = default;

  /// Keeps the values that fit; new ones are zero. Allocates only beyond the largest size there ever was.
  /// \throws InvalidArgument if the size is negative or exceeds the address space
  void resize(Index size) {
    if (size < 0 || static_cast<std::size_t>(size) > values_.max_size()) {
      detail::refuse("Buffer: size must be in [0, ", values_.max_size(), "], got ", size);
    }
    values_.resize(static_cast<std::size_t>(size));
  }

  [[nodiscard]] Index size() const noexcept { return static_cast<Index>(values_.size()); }
  [[nodiscard]] T* data() & noexcept { return values_.data(); }
  [[nodiscard]] const T* data() const& noexcept { return values_.data(); }
  void data() const&& = delete;
  [[nodiscard]] T& operator[](Index i) & noexcept { return values_[static_cast<std::size_t>(i)]; }
  [[nodiscard]] const T& operator[](Index i) const& noexcept { return values_[static_cast<std::size_t>(i)]; }
  void operator[](Index i) const&& = delete;
  [[nodiscard]] T* begin() & noexcept { return data(); }
  [[nodiscard]] T* end() & noexcept { return data() + size(); }
  [[nodiscard]] const T* begin() const& noexcept { return data(); }
  [[nodiscard]] const T* end() const& noexcept { return data() + size(); }
  void begin() const&& = delete;
  void end() const&& = delete;

 private:
  std::vector<T, detail::CacheLineAllocator<T>> values_;
};

}  // namespace elegans
