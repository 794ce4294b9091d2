// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <system_error>

#include <elegans/core/error.hpp>
#include <elegans/system/file.hpp>

namespace examples {

/// Makes a folder, and its parent folders. \throws elegans::RuntimeError if that fails
inline void make_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure)
    throw elegans::RuntimeError("cannot make the folder " + folder.string() + ": " +
                                elegans::detail::system_reason(failure.value()));
}

}  // namespace examples
