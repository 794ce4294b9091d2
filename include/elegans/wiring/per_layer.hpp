// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <span>

#include <elegans/core/error.hpp>

namespace elegans {

/// One number per layer, for 1 to 32 layers. The layer next to the inputs comes first: `{12, 8}`, or `12` for a single
/// layer. The numbers lie inside the object, so that a wiring of fixed sizes needs no heap.
class PerLayer {
 public:
  static constexpr std::size_t capacity = 32;

  /// One number, of any type that converts to int without losing a fraction.
  template <std::convertible_to<int> Number>
    requires(!std::floating_point<Number>)
  constexpr PerLayer(const Number& value) : values_{value}, size_(1) {}

  /// A list of numbers. \throws InvalidArgument unless there are 1 to 32
  constexpr PerLayer(std::initializer_list<int> values) : PerLayer(std::span(values.begin(), values.size())) {}
  /// The numbers of a `std::vector<int>` or another contiguous range. \throws InvalidArgument unless there are 1 to 32
  template <typename Range>
    requires(std::convertible_to<const Range&, std::span<const int>> && !std::convertible_to<const Range&, int> &&
             !std::same_as<Range, PerLayer>)
  constexpr PerLayer(const Range& range) {
    const std::span<const int> values = range;
    if (values.empty() || values.size() > capacity) {
      detail::refuse("PerLayer: there must be 1 to ", capacity, " numbers, got ", values.size());
    }
    size_ = values.size();
    for (std::size_t k = 0; k < size_; ++k) values_[k] = values[k];
  }

  [[nodiscard]] constexpr int size() const noexcept { return static_cast<int>(size_); }
  [[nodiscard]] constexpr int operator[](int layer) const noexcept { return values_[static_cast<std::size_t>(layer)]; }
  [[nodiscard]] constexpr const int* begin() const& noexcept { return values_.data(); }
  [[nodiscard]] constexpr const int* end() const& noexcept { return values_.data() + size_; }
  void begin() const&& = delete;
  void end() const&& = delete;
  friend constexpr bool operator==(const PerLayer&, const PerLayer&) = default;

 private:
  std::array<int, capacity> values_{};
  std::size_t size_ = 0;
};

}  // namespace elegans
