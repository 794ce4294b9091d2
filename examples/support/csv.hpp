// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <iomanip>
#include <limits>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/types.hpp>

namespace examples {

/// Rows of numbers under a line of names; `value(row, column)` as the type of the number that is to be read back.
template <typename Value>
std::string csv(const std::vector<std::string>& names, elegans::Index rows, Value&& value) {
  std::ostringstream text;
  text << std::setprecision(std::numeric_limits<decltype(value(elegans::Index{0}, std::size_t{0}))>::max_digits10);
  for (std::size_t c = 0; c < names.size(); ++c) text << (c ? "," : "") << names[c];
  text << "\n";
  for (elegans::Index r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < names.size(); ++c) text << (c ? "," : "") << value(r, c);
    text << "\n";
  }
  return text.str();
}

/// Makes a folder, and those that it lies in. \throws elegans::RuntimeError if that fails
inline void make_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) throw elegans::RuntimeError("cannot make the folder " + folder.string() + ": " + failure.message());
}

}  // namespace examples
