// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace elegans::detail {

/// The name of a type without namespaces and arguments, the same with all compilers; empty for a lambda.
template <typename T>
[[nodiscard]] std::string word_of_type() {
#ifdef __GNUC__
  std::string_view text = __PRETTY_FUNCTION__;
#else
  std::string_view text = "";
#endif
  // "std::string word_of_type() [with T = {anonymous}::Mine<float>; std::string = ...]"
  const std::size_t start = text.find("T = ");
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start + 4);
  text = text.substr(0, text.find_first_of("<;]"));
  if (const std::size_t colon = text.rfind(':'); colon != std::string_view::npos) text.remove_prefix(colon + 1);
  const bool is_word = text.find_first_of(" ()>") == std::string_view::npos;
  return is_word ? std::string(text) : std::string();
}

}  // namespace elegans::detail
