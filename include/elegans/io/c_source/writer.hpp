// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <elegans/core/error.hpp>
#include <elegans/core/number_text.hpp>

namespace elegans::detail {

/// A float as a constant of C99 and C++11: the shortest decimal that reads back as the same float. What would be
/// denormal is 0.
/// \throws InvalidArgument if the value is no float
inline std::string float_literal(double value) {
  const auto rounded = static_cast<float>(value);
  if (!std::isfinite(rounded)) refuse("export to C: ", value, " does not fit a float");
  if (std::fabs(rounded) < (std::numeric_limits<float>::min)()) return "0.0f";
  char text[32];
  char* const end = std::to_chars(text, text + sizeof text, rounded).ptr;
  std::string result(text, end);
  if (result.find_first_of(".e") == std::string::npos) result += ".0";
  return result + "f";
}

/// A number with the fewest digits that tell it from all other doubles.
inline std::string exact_decimal(double value) {
  for (int digits = 1; digits < 17; ++digits) {
    std::string text = number_text(value, digits);
    if (read_number<double>(text) == value) return text;
  }
  return number_text(value, 17);
}

/// The source text of a network in C, as it grows: tables of constants, and functions. All names in it begin with the
/// name of the network, so that a program may have several.
class CWriter {
 public:
  /// Replaces $key$ by its value in a piece of code, and @ by the network's prefix.
  using Values = std::initializer_list<std::pair<std::string_view, std::string>>;

  explicit CWriter(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  /// Bytes of all tables.
  [[nodiscard]] std::size_t table_bytes() const noexcept { return table_bytes_; }
  /// The helper functions that the code calls: see c_source/functions.hpp.
  [[nodiscard]] const std::set<std::string>& needs() const noexcept { return needs_; }
  void need(const std::string& function) { needs_.insert(function); }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

  /// Appends code.
  void code(std::string_view piece, Values values = {}) { text_ += filled(piece, values); }

  /// A piece of code with its values.
  [[nodiscard]] std::string filled(std::string_view piece, Values values) const {
    std::string result;
    for (std::size_t i = 0; i < piece.size(); ++i) {
      if (piece[i] == '@') {
        result.append(name_).append("_");
      } else if (piece[i] != '$') {
        result += piece[i];
      } else {
        const std::size_t end = piece.find('$', i + 1);
        result += value_of(piece.substr(i + 1, end - i - 1), values);
        i = end;
      }
    }
    return result;
  }

  /// Appends a table of constants. \param element_bytes  the size of one item
  void table(const std::string& type, const std::string& name, const std::vector<std::string>& items,
             std::size_t element_bytes) {
    code("static const $type$ @$name$[$count$] = {\n",
         {{"type", filled(type, {})}, {"name", name}, {"count", number(items.size())}});
    std::string line = " ";
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string item = " " + items[i] + (i + 1 < items.size() ? "," : "");
      if (line.size() + item.size() > 118) {
        text_ += line + "\n";
        line = " ";
      }
      line += item;
    }
    text_ += line + "};\n";
    table_bytes_ += items.size() * element_bytes;
  }
  void float_table(const std::string& name, const std::vector<double>& values) {
    std::vector<std::string> items;
    items.reserve(values.size());
    for (const double value : values) items.push_back(float_literal(value));
    table("float", name, items, sizeof(float));
  }
  /// A table of whole numbers, of the narrowest unsigned type that has them all. \return  the type
  std::string index_table(const std::string& name, const std::vector<int>& values) {
    int largest = 0;
    std::vector<std::string> items;
    for (const int value : values) {
      largest = value > largest ? value : largest;
      items.push_back(number(value));
    }
    const bool is_small = largest < 256;
    const std::string type = is_small ? "uint8_t" : largest < 65536 ? "uint16_t" : "uint32_t";
    table(type, name, items, is_small ? 1 : largest < 65536 ? 2 : 4);
    return type;
  }

  [[nodiscard]] static std::string number(auto value) { return std::to_string(value); }

 private:
  [[nodiscard]] static std::string value_of(std::string_view key, const Values& values) {
    for (const auto& [name, value] : values) {
      if (name == key) return value;
    }
    fail("export to C: there is no value of $", std::string(key));
  }

  std::string name_, text_;
  std::set<std::string> needs_;
  std::size_t table_bytes_ = 0;
};

}  // namespace elegans::detail
