// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <limits>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>

namespace examples {

/// True if the text is a whole number as people write it: "010" and "0x10", which CLI11 takes for 8 and 16, are not.
inline bool is_decimal(const std::string& text) {
  const std::size_t first = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  if (text.size() == first || (text[first] == '0' && text.size() > first + 1)) return false;
  return text.find_first_not_of("0123456789", first) == std::string::npos;
}

/// Refuses values that CLI11 would change without a word: whole numbers of more than 64 bits or of another base,
/// negative numbers for an unsigned option, and numbers that are not finite. Refuses empty names of files, too: they
/// would count as not given.
inline void check_values(const CLI::App& app) {
  const auto fits = [](const std::string& type, const std::string& text) {
    if (type.starts_with("FLOAT")) return std::isfinite(std::strtod(text.c_str(), nullptr));
    if (!type.starts_with("INT") && !type.starts_with("UINT")) return true;
    if (!is_decimal(text)) return false;
    const bool is_negative = text.starts_with('-');
    const std::size_t first = is_negative || text.starts_with('+') ? 1 : 0;
    std::uint64_t magnitude = 0;
    const auto failure = std::from_chars(text.data() + first, text.data() + text.size(), magnitude).ec;
    if (failure == std::errc::result_out_of_range) return false;
    constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
    return type.starts_with("INT") ? magnitude <= largest : magnitude == 0 || !is_negative;
  };
  for (const CLI::Option* const option : app.get_options()) {
    for (const std::string& text : option->results()) {
      if (!fits(option->get_type_name(), text)) throw CLI::ConversionError(option->get_name(), option->results());
      // An empty prefix means something: the names of the tensors begin with nothing.
      if (text.empty() && option->get_name() != "--prefix") {
        throw CLI::ValidationError(option->get_name(), "must not be empty");
      }
    }
  }
}

/// Parses a command line, then runs the program. Every error is one line on standard error.
///
/// \param check  checks what no single option can check; throws CLI::ParseError
/// \return  the exit status: 0, 1 for an error, 2 for a wrong command line
template <typename Run, typename Check>
int run_program(CLI::App& app, int argc, char** argv, const char* name, Run run, Check check) {
  try {
    app.parse(argc, argv);
    check_values(app);
    check();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::string message = error.what();
    std::replace(message.begin(), message.end(), '\n', ' ');
    if (dynamic_cast<const CLI::ConversionError*>(&error)) message += ", which is not a number or out of range";
    std::fprintf(stderr, "%s: %s (see --help)\n", name, message.c_str());
    return 2;
  }
  try {
    run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 1;
  }
  return 0;
}

template <typename Run>
int run_program(CLI::App& app, int argc, char** argv, const char* name, Run run) {
  return run_program(app, argc, argv, name, run, [] {});
}

}  // namespace examples
