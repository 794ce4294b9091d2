// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/extent.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// One named tensor in a flat parameter vector: (rows, columns), column-major from `offset` on.
struct Parameter {
  std::string name;  ///< ncps' name; up to 15 characters use no heap
  int rows = 0;
  int columns = 0;
  Index offset = 0;

  [[nodiscard]] Index size() const noexcept { return Index{rows} * columns; }
};

/// Says which tensor lies where in a flat parameter vector, and in its gradient. This is the only list of parameters:
/// all code that saves, prints, checks or clips parameters uses it.
///
/// `begin`, `find` and `at` point into the list, so they must not outlive it, nor the next `add`.
///
/// \tparam Capacity  the largest number of tensors, or Dynamic
template <int Capacity = Dynamic>
class ParameterList {
 public:
  /// Adds a tensor behind the others.
  /// \throws InvalidArgument above the capacity, or if an Index cannot count the scalars of all tensors
  void add(std::string_view name, int rows, int columns) {
    constexpr std::int64_t most = (std::numeric_limits<Index>::max)();
    const std::int64_t size = std::int64_t{rows} * columns;
    if (size > most - count_) {
      detail::refuse("parameters: there may be at most ", most, " values, got (", rows, ", ", columns, ") for '", name,
                     "' beside ", count(), " others");
    }
    entries_.resize(entries_.size() + 1);
    entries_[entries_.size() - 1] = {std::string(name), rows, columns, count_};
    count_ = static_cast<Index>(count_ + size);
  }

  /// Number of scalars of all tensors together.
  [[nodiscard]] Index count() const noexcept { return count_; }
  /// Number of tensors.
  [[nodiscard]] Index size() const noexcept { return entries_.size(); }
  [[nodiscard]] const Parameter* begin() const& noexcept { return entries_.begin(); }
  [[nodiscard]] const Parameter* end() const& noexcept { return entries_.end(); }
  void begin() const&& = delete;
  void end() const&& = delete;

  /// The tensor of that name, or null if there is none.
  [[nodiscard]] const Parameter* find(std::string_view name) const& noexcept {
    for (const Parameter& entry : *this) {
      if (entry.name == name) return &entry;
    }
    return nullptr;
  }
  void find(std::string_view name) const&& = delete;

  /// The tensor of that name. \throws InvalidArgument if there is none; the message lists all names
  [[nodiscard]] const Parameter& at(std::string_view name) const& {
    if (const Parameter* entry = find(name)) return *entry;
    std::string names;
    for (const Parameter& entry : *this) names.append(names.empty() ? "" : ", ").append(entry.name);
    detail::refuse("no parameter named '", name, "'; there are ", names);
  }
  /// A copy of the tensor's entry, from a temporary list.
  [[nodiscard]] Parameter at(std::string_view name) const&& { return at(name); }

 private:
  Buffer<Parameter, Capacity> entries_;
  detail::Extent<Index, Capacity> count_ = 0;
};

}  // namespace elegans
