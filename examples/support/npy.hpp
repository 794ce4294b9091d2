// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <Eigen/Core>

#include <elegans/core/error.hpp>

#include "csv.hpp"

namespace examples {

/// NumPy's name of a type of numbers, as a header has it.
template <typename Value>
constexpr const char* npy_type() {
  if constexpr (std::is_same_v<Value, double>) return "<f8";
  if constexpr (std::is_same_v<Value, float>) return "<f4";
  if constexpr (std::is_same_v<Value, std::uint8_t>) return "|u1";
  if constexpr (std::is_same_v<Value, std::int16_t>) return "<i2";
  if constexpr (std::is_same_v<Value, std::uint32_t>) return "<u4";
}

/// Reads a matrix from a NumPy file, as `numpy.save` writes it: format 1.0, little-endian, row by row. A vector becomes
/// a matrix of one column.
///
/// \tparam Value   double, float, or an integer of 8, 16 or 32 bits as `npy_type` lists them; the file's must be the
///                 same
/// \param nan_too  whether a value may be missing, and so NaN
/// \throws elegans::RuntimeError if it cannot be read; elegans::InvalidArgument if it is something else
template <typename Value>
Table<Value> read_npy(const std::filesystem::path& path, bool nan_too = false) {
  const std::string bytes = read_text(path);
  const auto refuse = [&](const auto&... parts) { elegans::detail::refuse(path.string(), ": ", parts...); };
  constexpr std::string_view magic("\x93NUMPY\x01\x00", 8);
  if (!std::string_view(bytes).starts_with(magic) || bytes.size() < 10) refuse("no NumPy file of format 1.0");
  const std::size_t header_size =
      static_cast<unsigned char>(bytes[8]) + 256 * std::size_t{static_cast<unsigned char>(bytes[9])};
  if (bytes.size() < 10 + header_size) refuse("cut off in its header");
  const std::string_view header = std::string_view(bytes).substr(10, header_size);
  const std::string type = std::string("'descr': '") + npy_type<Value>() + "'";
  if (header.find(type) == std::string_view::npos || header.find("'fortran_order': False") == std::string_view::npos) {
    refuse("must hold values of type ", npy_type<Value>(), ", row by row");
  }
  std::size_t next = header.find("'shape': (");
  if (next == std::string_view::npos) refuse("has no shape");
  next += 10;
  std::size_t shape[2] = {0, 1};
  for (std::size_t& extent : shape) {
    while (next < header.size() && (header[next] == ' ' || header[next] == ',')) ++next;
    if (&extent != shape && header.substr(next, 1) == ")") break;  // a vector
    const auto [end, failure] = std::from_chars(header.data() + next, header.data() + header.size(), extent);
    if (failure != std::errc() || extent == 0 || extent > 100000000) refuse("must be a matrix or a vector");
    next = static_cast<std::size_t>(end - header.data());
  }
  if (header.substr(next, 1) != ")") refuse("must be a matrix or a vector");
  if (bytes.size() != 10 + header_size + shape[0] * shape[1] * sizeof(Value)) {
    refuse("must have ", shape[0], " x ", shape[1], " values behind its header, got ", bytes.size() - 10 - header_size,
           " bytes");
  }
  Table<Value> values(static_cast<Eigen::Index>(shape[0]), static_cast<Eigen::Index>(shape[1]));
  std::memcpy(values.data(), bytes.data() + 10 + header_size, shape[0] * shape[1] * sizeof(Value));
  if constexpr (std::floating_point<Value>) {
    const bool is_fine = nan_too ? !values.isInf().any() : values.isFinite().all();
    if (!is_fine) refuse("must have finite values");
  }
  return values;
}

}  // namespace examples
