// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include <Eigen/Core>

#include <elegans/core/error.hpp>

#include "csv.hpp"

namespace examples {

/// Reads a matrix of doubles from a NumPy file, as `numpy.save` writes it: format 1.0, little-endian, row by row.
/// \throws elegans::RuntimeError if it cannot be read; elegans::InvalidArgument if it is something else
inline Table<double> read_npy(const std::filesystem::path& path) {
  const std::string bytes = read_text(path);
  const auto refuse = [&](const auto&... parts) { elegans::detail::refuse(path.string(), ": ", parts...); };
  constexpr std::string_view magic("\x93NUMPY\x01\x00", 8);
  if (!std::string_view(bytes).starts_with(magic) || bytes.size() < 10) refuse("no NumPy file of format 1.0");
  const std::size_t header_size =
      static_cast<unsigned char>(bytes[8]) + 256 * std::size_t{static_cast<unsigned char>(bytes[9])};
  if (bytes.size() < 10 + header_size) refuse("cut off in its header");
  const std::string_view header = std::string_view(bytes).substr(10, header_size);
  if (header.find("'<f8'") == std::string_view::npos ||
      header.find("'fortran_order': False") == std::string_view::npos) {
    refuse("must hold doubles, row by row");
  }
  std::size_t shape[2] = {0, 0};
  std::size_t next = header.find("'shape': (");
  if (next == std::string_view::npos) refuse("has no shape");
  next += 10;
  for (std::size_t& extent : shape) {
    while (next < header.size() && (header[next] == ' ' || header[next] == ',')) ++next;
    const auto [end, failure] = std::from_chars(header.data() + next, header.data() + header.size(), extent);
    if (failure != std::errc() || extent == 0 || extent > 1000000) refuse("must be a matrix");
    next = static_cast<std::size_t>(end - header.data());
  }
  if (header.substr(next, 1) != ")") refuse("must be a matrix");
  if (bytes.size() != 10 + header_size + shape[0] * shape[1] * sizeof(double)) {
    refuse("must have ", shape[0], " x ", shape[1], " values behind its header, got ", bytes.size() - 10 - header_size,
           " bytes");
  }
  Table<double> values(static_cast<Eigen::Index>(shape[0]), static_cast<Eigen::Index>(shape[1]));
  std::memcpy(values.data(), bytes.data() + 10 + header_size, shape[0] * shape[1] * sizeof(double));
  if (!values.isFinite().all()) refuse("must have finite values");
  return values;
}

}  // namespace examples
