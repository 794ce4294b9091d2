// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>

#include <elegans/core/config.hpp>

namespace elegans {

/// What every error of the library is, whatever its cause: catch this one to catch them all.
///
/// Not itself a `std::exception`, because its two kinds already are one: an `InvalidArgument` is a
/// `std::invalid_argument`, a `RuntimeError` a `std::runtime_error`.
class Error {
 public:
  Error() = default;
  Error(const Error&) = default;
  Error& operator=(const Error&) = default;
  virtual ~Error() = default;

  /// The function that refused, the value it got and the value it wanted.
  [[nodiscard]] virtual const char* what() const noexcept = 0;
};

/// A call that makes no sense: an impossible wiring, a shape that does not fit.
class InvalidArgument : public std::invalid_argument, public Error {
 public:
  using std::invalid_argument::invalid_argument;
  [[nodiscard]] const char* what() const noexcept override { return std::invalid_argument::what(); }
};

/// A call that made sense and failed: a file that cannot be written, a loss that is no longer finite.
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

template <typename Kind>
ELEGANS_COLD [[noreturn]] inline void raise(const std::string& message) {
#if ELEGANS_EXCEPTIONS
  throw Kind(message);
#else
  ELEGANS_ON_ERROR(message.c_str());
  std::abort();  // what was refused must not go on, whatever the hook does
#endif
}

/// The parts as one text. A locale of the program's changes nothing: no point becomes a comma.
template <typename... Parts>
ELEGANS_COLD [[nodiscard]] std::string concatenate(const Parts&... parts) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  (text << ... << parts);
  return text.str();
}

/// Throws InvalidArgument with the parts as its message; cold, so that the caller's code stays small.
template <typename... Parts>
ELEGANS_COLD [[noreturn]] void refuse(const Parts&... parts) {
  raise<InvalidArgument>(concatenate(parts...));
}

/// Throws RuntimeError with the parts as its message.
template <typename... Parts>
ELEGANS_COLD [[noreturn]] void fail(const Parts&... parts) {
  raise<RuntimeError>(concatenate(parts...));
}

}  // namespace detail
}  // namespace elegans
