// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>

#include <elegans/core/error.hpp>

namespace examples {

/// Checks that the text of an option is a number from `low` to `high`. The checks of CLI11 let NaN pass, numbers that a
/// float cannot hold, and -1 for an unsigned number.
template <typename Number>
CLI::Validator number_in(Number low, Number high) {
  const auto check = [=](const std::string& text) -> std::string {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, number);
    if (failure == std::errc() && stop == end && number >= low && number <= high) return "";
    return elegans::detail::concatenate("must be a number in [", low, ", ", high, "], got ", text);
  };
  return CLI::Validator(check, elegans::detail::concatenate("in [", low, " - ", high, "]"));
}

/// Checks a seed: a whole number from 0 to 2^64 - 1.
inline CLI::Validator seed_check() { return number_in(std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max()); }

/// Checks a number that must be at least 0, such as a learning rate.
inline CLI::Validator at_least_zero() { return number_in(0.0F, std::numeric_limits<float>::max()); }

}  // namespace examples
