// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <elegans/core/error.hpp>

namespace support {

/// The message with which a call is refused, or "(not refused)".
/// \tparam Kind  the type of the error that is expected
template <typename Kind = elegans::InvalidArgument, typename Call>
std::string refusal_of(Call&& call) {
  try {
    std::forward<Call>(call)();
  } catch (const Kind& error) {
    return error.what();
  }
  return "(not refused)";
}

}  // namespace support
