// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>

#include <elegans/core/error.hpp>

namespace support {

/// What a call that must be refused says; "(not refused)" if it is not.
/// \tparam Kind  the error that is wanted
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
