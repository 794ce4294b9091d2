// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>
#include <locale>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>

#include <elegans/core/config.hpp>

namespace elegans {

/// The base of every error that the library throws: catch this type to catch them all.
///
/// It is no `std::exception` itself, because its two kinds already are: an `InvalidArgument` is a
/// `std::invalid_argument`, and a `RuntimeError` is a `std::runtime_error`.
class Error {
 public:
  Error() = default;
  Error(const Error&) = default;
  Error& operator=(const Error&) = default;
  virtual ~Error() = default;

  /// The message: which function refused, the value it got and the value it wanted.
  [[nodiscard]] virtual const char* what() const noexcept = 0;
};

/// The call makes no sense: for example an impossible wiring, or a shape that does not fit.
class InvalidArgument : public std::invalid_argument, public Error {
 public:
  using std::invalid_argument::invalid_argument;
  [[nodiscard]] const char* what() const noexcept override { return std::invalid_argument::what(); }
};

/// The call made sense but failed: for example a file cannot be written, or a loss is no longer finite.
class RuntimeError : public std::runtime_error, public Error {
 public:
  using std::runtime_error::runtime_error;
  [[nodiscard]] const char* what() const noexcept override { return std::runtime_error::what(); }
};

namespace detail {

#if defined(__GNUC__)
#define ELEGANS_COLD [[gnu::cold, gnu::noinline]]
#else
#define ELEGANS_COLD
#endif

/// Writes a part of a message. A NaN has no sign there: with one, messages would depend on the compiler.
template <typename T>
void write_part(std::ostream& text, const T& part) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(part)) {
      text << "nan";
      return;
    }
  }
  text << part;
}

/// One text of all parts, the same under every locale.
template <typename... Parts>
ELEGANS_COLD [[nodiscard]] std::string concatenate(const Parts&... parts) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  (write_part(text, parts), ...);
  return text.str();
}

/// The longest of the parts that are literals.
template <typename... Parts>
[[nodiscard]] constexpr const char* longest_literal(const Parts&... parts) {
  const char* longest = "an error";
  std::size_t size = 0;
  const auto compare = [&]<typename Part>(const Part& part) {
    if constexpr (std::is_array_v<Part>) {
      if (sizeof(part) <= size) return;
      longest = part;
      size = sizeof(part);
    }
  };
  (compare(parts), ...);
  return longest;
}

/// Throws an error with the parts as its message. Without exceptions the message is the longest literal of them: to
/// write the other parts would bring streams and locales into the program, nine tenths of a small one.
template <typename Kind, typename... Parts>
ELEGANS_COLD [[noreturn]] void raise(const Parts&... parts) {
#if ELEGANS_EXCEPTIONS
  throw Kind(concatenate(parts...));
#else
  ELEGANS_ON_ERROR(longest_literal(parts...));
  std::abort();  // the caller relies on this call not to return
#endif
}

/// Throws InvalidArgument with the parts as its message. It is cold, so that the caller's code stays small.
template <typename... Parts>
ELEGANS_COLD [[noreturn]] void refuse(const Parts&... parts) {
  raise<InvalidArgument>(parts...);
}

/// Throws RuntimeError with the parts as its message.
template <typename... Parts>
ELEGANS_COLD [[noreturn]] void fail(const Parts&... parts) {
  raise<RuntimeError>(parts...);
}

}  // namespace detail
}  // namespace elegans
