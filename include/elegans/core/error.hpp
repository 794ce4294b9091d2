// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <locale>
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

template <typename Kind>
ELEGANS_COLD [[noreturn]] inline void raise(const std::string& message) {
#if ELEGANS_EXCEPTIONS
  throw Kind(message);
#else
  ELEGANS_ON_ERROR(message.c_str());
  std::abort();  // the caller relies on this call not to return
#endif
}

/// The value itself, except that a NaN loses its sign: messages would otherwise depend on the compiler.
template <typename T>
[[nodiscard]] constexpr T without_nan_sign(const T& part) noexcept
  requires std::is_floating_point_v<T>
{
  return part != part ? std::numeric_limits<T>::quiet_NaN() : part;
}
template <typename T>
[[nodiscard]] constexpr const T& without_nan_sign(const T& part) noexcept {
  return part;
}

/// One text of all parts, the same under every locale.
template <typename... Parts>
ELEGANS_COLD [[nodiscard]] std::string concatenate(const Parts&... parts) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  (text << ... << without_nan_sign(parts));
  return text.str();
}

/// Throws InvalidArgument with the parts as its message. It is cold, so that the caller's code stays small.
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
