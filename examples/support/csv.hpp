// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iomanip>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <Eigen/Core>

#include <elegans/core/error.hpp>

namespace examples {

/// Rows of numbers, of equal length.
template <typename Scalar>
using Table = Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline std::string read_text(const std::filesystem::path& path) {
  const auto fail_for = [&](int reason) {
    elegans::detail::fail("cannot read ", path.string(), ": ", std::generic_category().message(reason));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) fail_for(EISDIR);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.string().c_str(), "rb"), &std::fclose);
  if (!file) fail_for(errno);
  std::string text;
  std::string piece(1 << 16, '\0');
  while (!std::feof(file.get()) && !std::ferror(file.get())) {
    const std::size_t size = std::fread(piece.data(), 1, piece.size(), file.get());
    text.append(piece, 0, size);
  }
  if (std::ferror(file.get())) fail_for(errno);
  return text;
}

/// Numbers from a CSV file: separated by commas, a row a line. A first line without a number is a header.
/// \throws elegans::RuntimeError if it cannot be read; elegans::InvalidArgument if it is something else, with the line
template <typename Scalar>
Table<Scalar> read_csv(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  std::string_view rest = text;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  std::vector<Scalar> values;
  std::size_t line_number = 0, rows = 0, columns = 0;
  const auto refuse = [&](const auto&... parts) {
    elegans::detail::refuse(path.string(), ", line ", line_number, ": ", parts...);
  };
  const auto take_until = [](std::string_view& from, char end) {
    const std::size_t at = from.find(end);
    const std::string_view part = from.substr(0, at);
    from.remove_prefix(at == std::string_view::npos ? from.size() : at + 1);
    return part;
  };
  while (!rest.empty()) {
    std::string_view line = take_until(rest, '\n');
    ++line_number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const std::size_t before = values.size();
    std::size_t fields = 0;
    std::string_view wrong;
    for (bool more = true; more;) {
      more = line.find(',') != std::string_view::npos;
      std::string_view field = take_until(line, ',');
      field.remove_prefix(std::min(field.find_first_not_of(" \t\r"), field.size()));
      field = field.substr(0, field.find_last_not_of(" \t\r") + 1);
      ++fields;
      Scalar value{};
      const bool plus = field.starts_with('+') && field.size() > 1 && field[1] != '-';
      const auto [end, failure] = std::from_chars(field.data() + plus, field.data() + field.size(), value);
      if (end != field.data() + field.size() || failure == std::errc::invalid_argument || field.empty()) {
        if (wrong.data() == nullptr) wrong = field.empty() ? std::string_view("nothing") : field;
      } else {
        // Beyond the range of numbers is either too large, or too small to differ from 0.
        if (failure == std::errc::result_out_of_range)
          value = static_cast<Scalar>(std::strtod(std::string(field).c_str(), nullptr));
        if (!std::isfinite(value)) refuse("column ", fields, " must be finite, got ", field.substr(0, 40));
        values.push_back(value);
      }
    }
    if (wrong.data() != nullptr) {
      if (values.empty() && before == 0 && rows == 0 && columns == 0) {
        columns = fields;  // a header, which says how many there are
        continue;
      }
      refuse("must have numbers, got '", wrong.substr(0, 40), "'");
    }
    if (columns != 0 && fields != columns) refuse("must have ", columns, " columns, got ", fields);
    columns = fields;
    ++rows;
  }
  if (rows == 0) elegans::detail::refuse(path.string(), ": there are no numbers");
  return Eigen::Map<const Table<Scalar>>(values.data(), static_cast<Eigen::Index>(rows),
                                         static_cast<Eigen::Index>(columns));
}

/// Appends a row of numbers, with as many digits as tell every number from its neighbours: 17 of a double, 9 of a
/// float.
template <typename Row>
void append_csv_row(const Row& row, std::string& text) {
  using Scalar = typename Row::Scalar;
  char digits[32];
  for (Eigen::Index i = 0; i < row.size(); ++i) {
    if (i > 0) text += ',';
    const auto [end, failure] = std::to_chars(digits, digits + sizeof digits, row.coeff(i), std::chars_format::general,
                                              std::numeric_limits<Scalar>::max_digits10);
    text.append(digits, end);
  }
  text += '\n';
}

/// Rows of numbers under a line of names; `value(row, column)` as the type of the number that is to be read back.
template <typename Value>
std::string csv(const std::vector<std::string>& names, Eigen::Index rows, Value&& value) {
  std::ostringstream text;
  text << std::setprecision(std::numeric_limits<decltype(value(Eigen::Index{0}, std::size_t{0}))>::max_digits10);
  for (std::size_t c = 0; c < names.size(); ++c) text << (c ? "," : "") << names[c];
  text << "\n";
  for (Eigen::Index r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < names.size(); ++c) text << (c ? "," : "") << value(r, c);
    text << "\n";
  }
  return text.str();
}

}  // namespace examples
