// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <system_error>

#include <elegans/core/error.hpp>

namespace examples {

/// Makes a folder, and those that it lies in. \throws elegans::RuntimeError if that fails
inline void make_folder(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) throw elegans::RuntimeError("cannot make the folder " + folder.string() + ": " + failure.message());
}

}  // namespace examples
