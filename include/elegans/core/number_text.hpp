// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <elegans/core/finite.hpp>

namespace elegans::detail {

// Numbers as text, whatever the locale of C or C++ is.

/// Writes a number as `printf` does with %.*g (general) or %.*f (fixed) in the locale "C".
template <typename Number>
[[nodiscard]] std::string number_text(Number value, int precision,
                                      std::chars_format format = std::chars_format::general) {
  // Before the point, a double has at most 309 digits.
  char text[400];
  const auto [end, failure] = std::to_chars(text, text + sizeof text, value, format, precision);
  return failure == std::errc() ? std::string(text, end) : std::string();
}

/// Writes every bit of a number, as `printf` does with %a in the locale "C": "-0x1.8p+1", "inf", "nan".
[[nodiscard]] inline std::string exact_text(double value) {
  char text[40];
  const auto [end, failure] = std::to_chars(text, text + sizeof text, value, std::chars_format::hex);
  if (failure != std::errc()) return {};
  std::string result(text, end);
  if (is_finite(value)) result.insert(result.starts_with('-') ? 1 : 0, "0x");
  return result;
}

/// Reads a number, decimal or, after 0x, hexadecimal, with a sign or without; also inf and nan.
/// \return nothing if the text is anything else, or if the number is out of range
template <typename Number>
[[nodiscard]] std::optional<Number> read_number(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  const bool is_hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (is_hexadecimal) text.remove_prefix(2);
  if (text.starts_with('-')) return std::nullopt;
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value,
                                              is_hexadecimal ? std::chars_format::hex : std::chars_format::general);
  if (failure != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return is_negative ? -value : value;
}

}  // namespace elegans::detail
