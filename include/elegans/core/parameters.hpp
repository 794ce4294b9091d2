// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include <elegans/core/buffer.hpp>
#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace elegans {

/// One named tensor in a flat parameter vector: (rows, columns), column-major from `offset` on. ncps' name.
struct Parameter {
  std::string name;  ///< up to 15 characters use no heap
  int rows = 0;
  int columns = 0;
  Index offset = 0;

  [[nodiscard]] Index size() const noexcept { return Index{rows} * columns; }
};

/// What lies where in a flat parameter vector, and in its gradient. The only list of parameters there is: whatever
/// saves, prints, checks or clips them walks this one.
///
/// \tparam Capacity  the largest number of tensors
template <int Capacity = Dynamic>
class ParameterList {
 public:
  void add(std::string_view name, int rows, int columns) {
    entries_.resize(entries_.size() + 1);
    entries_[entries_.size() - 1] = {std::string(name), rows, columns, count_};
    count_ += Index{rows} * columns;
  }

  /// Number of scalars of all tensors together.
  [[nodiscard]] Index count() const noexcept { return count_; }
  [[nodiscard]] Index size() const noexcept { return entries_.size(); }
  [[nodiscard]] auto begin() const noexcept { return entries_.begin(); }
  [[nodiscard]] auto end() const noexcept { return entries_.end(); }

  /// Null if there is none of that name.
  [[nodiscard]] const Parameter* find(std::string_view name) const noexcept {
    for (const Parameter& entry : *this) {
      if (entry.name == name) return &entry;
    }
    return nullptr;
  }

  /// The tensor of a name. \throws InvalidArgument if there is none of that name; the message lists those there are
  [[nodiscard]] const Parameter& at(std::string_view name) const {
    if (const Parameter* entry = find(name)) return *entry;
    std::string names;
    for (const Parameter& entry : *this) names.append(names.empty() ? "" : ", ").append(entry.name);
    detail::refuse("no parameter named '", name, "'; there are ", names);
  }

 private:
  Buffer<Parameter, Capacity> entries_;
  Index count_ = 0;
};

}  // namespace elegans
