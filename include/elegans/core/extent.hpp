// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace elegans::detail {

/// A number that becomes 0 when the object that holds it is moved from.
template <typename T>
class MovableExtent {
 public:
  MovableExtent(T value = 0) noexcept : value_(value) {}
  MovableExtent(const MovableExtent&) noexcept = default;
  MovableExtent& operator=(const MovableExtent&) noexcept = default;
  MovableExtent(MovableExtent&& other) noexcept : value_(std::exchange(other.value_, 0)) {}
  MovableExtent& operator=(MovableExtent&& other) noexcept {
    value_ = std::exchange(other.value_, 0);  // assigned to itself, it gets its value back
    return *this;
  }
  ~MovableExtent() = default;

  operator T() const noexcept { return value_; }

 private:
  T value_;
};

/// A size that an object keeps beside its values. Values on the heap leave with a move, so their size becomes 0.
/// Values held in place stay, and so does their size: it is a plain number.
///
/// \tparam Fixed  the size if the type fixes it, or Dynamic
template <typename T, int Fixed = Dynamic>
using Extent = std::conditional_t<Fixed == Dynamic, MovableExtent<T>, T>;

/// The product of the sizes of an array. \throws InvalidArgument if one is negative or an Index cannot hold the product
template <typename... Sizes>
[[nodiscard]] Index product_of_sizes(const char* name, Sizes... sizes) {
  const auto refuse_sizes = [&](const auto&... rule) {
    const char* separator = "";
    std::string got;
    ((got += concatenate(separator, sizes), separator = ", "), ...);
    refuse(name, ": ", rule..., ", got (", got, ")");
  };
  constexpr Index most = (std::numeric_limits<Index>::max)();
  if (((sizes < 0) || ...)) refuse_sizes("sizes must not be negative");
  // A size of 0 counts as 1 here, so that the offset of a step cannot overflow either.
  Index product = 1;
  const auto multiply = [&](Index size) {
    if (size > most / product) refuse_sizes("there may be at most ", most, " values");
    product *= size;
  };
  (multiply((std::max<Index>)(sizes, 1)), ...);
  return ((sizes == 0) || ...) ? 0 : product;
}

}  // namespace elegans::detail
