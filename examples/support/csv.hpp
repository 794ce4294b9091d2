// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include <Eigen/Core>

#include <elegans/core/error.hpp>
#include <elegans/core/number_text.hpp>
#include <elegans/system/file.hpp>

namespace examples {

/// Rows of numbers, of equal length.
template <typename Scalar>
using Table = Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

inline std::string read_text(const std::filesystem::path& path) {
  const auto fail_for = [&](int reason) {
    elegans::detail::fail("cannot read ", path.string(), ": ", elegans::detail::system_reason(reason));
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

/// Takes a CSV text apart, as RFC 4180 says: fields between commas, records between line ends. A field in quotes may
/// have commas, line ends and, doubled, quotes.
class CsvReader {
 public:
  /// \param name  of the file, for messages; it must live as long as the reader
  CsvReader(std::string_view text, const std::string& name) : rest_(text), name_(name) {
    if (rest_.starts_with("\xef\xbb\xbf")) rest_.remove_prefix(3);
  }

  /// Reads the next record. \return false at the end of the text
  bool next(std::vector<std::string>& fields) {
    fields.clear();
    line_ = next_line_;
    if (rest_.empty()) return false;
    for (bool more = true; more;) {
      fields.emplace_back();
      more = read_field(fields.back(), fields.size());
    }
    return true;
  }
  /// True if nothing but blank lines follows.
  [[nodiscard]] bool is_at_end() const noexcept { return rest_.find_first_not_of(" \t\r\n") == std::string_view::npos; }

  /// Refuses the record that was read last. \param column  counted from 1, or 0 for all of it
  template <typename... Parts>
  [[noreturn]] void refuse(std::size_t column, const Parts&... parts) const {
    const std::string place = column ? elegans::detail::concatenate(", column ", column) : "";
    elegans::detail::refuse(name_, ", line ", line_, place, ": ", parts...);
  }

 private:
  /// Reads a field without the blanks around it. \return true if a comma follows
  bool read_field(std::string& field, std::size_t column) {
    skip_blanks();
    if (rest_.starts_with('"')) {
      read_quoted(field, column);
      skip_blanks();
    } else {
      const std::size_t size = std::min(rest_.find_first_of(",\r\n"), rest_.size());
      field = rest_.substr(0, size);
      field.erase(field.find_last_not_of(" \t") + 1);
      rest_.remove_prefix(size);
    }
    if (rest_.empty()) return false;
    const char end = rest_[0];
    if (end != ',' && end != '\r' && end != '\n') refuse(column, "there must be a comma behind the closing quote");
    rest_.remove_prefix(rest_.starts_with("\r\n") ? 2 : 1);
    if (end != ',') ++next_line_;
    return end == ',';
  }

  void read_quoted(std::string& field, std::size_t column) {
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        if (i + 1 == rest_.size() || rest_[i + 1] != '"') {
          rest_.remove_prefix(i + 1);
          return;
        }
        ++i;
      }
      if (rest_[i] == '\n') ++next_line_;
      field += rest_[i];
    }
    refuse(column, "a quote is not closed");
  }

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size())); }

  std::string_view rest_;
  const std::string& name_;
  std::size_t line_ = 1;       // on which the last record begins
  std::size_t next_line_ = 1;  // on which the next one begins
};

/// True for what programs write where a value is missing.
inline bool is_missing(std::string_view field) {
  std::string lower(field);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  constexpr std::string_view words[] = {"", "na", "n/a", "#n/a", "<na>", "nan", "null", "none", "nil", "-", "?", "."};
  return std::find(std::begin(words), std::end(words), lower) != std::end(words);
}

/// Reads a number. A number too small for the type is 0.
/// \return false if the field is not a number; a number too large for the type is infinite
template <typename Scalar>
bool read_number(std::string_view field, Scalar& value) {
  if (field.starts_with('+') && field.size() > 1 && field[1] != '-') field.remove_prefix(1);
  const auto [end, failure] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (field.empty() || failure == std::errc::invalid_argument || end != field.data() + field.size()) return false;
  if (failure == std::errc()) return true;
  // Out of range: of a wider type there is more to say.
  if constexpr (!std::is_same_v<Scalar, long double>) {
    long double wide = 0;
    read_number(field, wide);
    value = static_cast<Scalar>(wide);
  } else {
    const std::size_t exponent = field.find_first_of("eE");
    const bool is_small = exponent == std::string_view::npos ? field.find_first_not_of("-0.") > field.find('.')
                                                             : field.substr(exponent + 1).starts_with('-');
    value = is_small ? 0 : std::numeric_limits<long double>::infinity();
  }
  return true;
}

/// A field as a message shows it, on one line.
inline std::string shown(std::string_view field) {
  if (field.empty()) return "nothing";
  std::string text = "'" + std::string(field.substr(0, 40)) + "'";
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

/// Reads numbers from a CSV file, a row per line. The first line is a header if it has names and no number: a line of
/// missing values ("NA", nothing) is not. There may be blank lines at the end of the file if it has several columns; in
/// a file of one column, a blank line is a missing value.
///
/// \throws elegans::RuntimeError if the file cannot be read; elegans::InvalidArgument if a value is missing or is no
///         finite number, or if the rows differ in length. The message names line and column
template <typename Scalar>
Table<Scalar> read_csv(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  const std::string name = path.string();
  CsvReader reader(text, name);
  std::vector<Scalar> values;
  std::vector<std::string> fields;
  std::size_t rows = 0, columns = 0;
  const auto is_number = [](const std::string& field) {
    Scalar ignored{};
    return read_number(field, ignored);
  };
  for (bool is_first = true; reader.next(fields); is_first = false) {
    if (is_first && std::none_of(fields.begin(), fields.end(), is_number) &&
        !std::all_of(fields.begin(), fields.end(), is_missing)) {
      columns = fields.size();
      continue;
    }
    if (fields.size() == 1 && fields[0].empty()) {
      if (columns > 1 && reader.is_at_end()) break;
      reader.refuse(1, "must be a number, got a blank line");
    }
    if (columns != 0 && fields.size() != columns)
      reader.refuse(0, "must have ", columns, " columns, got ", fields.size());
    columns = fields.size();
    for (std::size_t c = 0; c < columns; ++c) {
      Scalar value{};
      if (!read_number(fields[c], value)) reader.refuse(c + 1, "must be a number, got ", shown(fields[c]));
      if (!std::isfinite(value)) reader.refuse(c + 1, "must be finite, got ", shown(fields[c]));
      values.push_back(value);
    }
    ++rows;
  }
  if (rows == 0) elegans::detail::refuse(name, ": there are no numbers");
  return Eigen::Map<const Table<Scalar>>(values.data(), static_cast<Eigen::Index>(rows),
                                         static_cast<Eigen::Index>(columns));
}

/// Appends a number, with as many digits as tell it from its neighbours: 17 of a double, 9 of a float.
template <typename Number>
void append_number(Number value, std::string& text) {
  if constexpr (std::is_integral_v<Number>) {
    text += std::to_string(value);
  } else {
    text += elegans::detail::number_text(value, std::numeric_limits<Number>::max_digits10);
  }
}

/// Appends a row of numbers.
template <typename Row>
void append_csv_row(const Row& row, std::string& text) {
  for (Eigen::Index i = 0; i < row.size(); ++i) {
    if (i > 0) text += ',';
    append_number(row.coeff(i), text);
  }
  text += '\n';
}

/// Rows of numbers under a line of names. \param value  (row, column) -> number, in the type that is to be read back
template <typename Value>
std::string csv(const std::vector<std::string>& names, Eigen::Index rows, Value&& value) {
  std::string text;
  for (std::size_t c = 0; c < names.size(); ++c) text.append(c ? "," : "").append(names[c]);
  text += '\n';
  for (Eigen::Index r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < names.size(); ++c) {
      if (c > 0) text += ',';
      append_number(value(r, c), text);
    }
    text += '\n';
  }
  return text;
}

}  // namespace examples
