// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

#include <elegans/core/error.hpp>

namespace elegans {

/// Writes a file whole: to a temporary name beside it, flushed to the disk, then renamed. Whoever reads `path` sees
/// what was there before, or all of the new bytes.
///
/// \throws RuntimeError with the path and the system's reason; nothing is then left behind
inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::filesystem::path temporary = path;
#if defined(__unix__) || defined(__APPLE__)
  temporary += ".unfinished-" + std::to_string(::getpid());
#else
  temporary += ".unfinished";
#endif
  const auto give_up = [&](int reason) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    detail::fail("cannot write ", path.string(), ": ", std::strerror(reason));
  };
  std::FILE* const file = std::fopen(temporary.string().c_str(), "wb");
  if (!file) detail::fail("cannot write ", path.string(), ": ", std::strerror(errno));
  bool whole = std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size() && std::fflush(file) == 0;
#if defined(__unix__) || defined(__APPLE__)
  // A pipe or a device has nothing to flush to.
  whole = whole && (::fsync(::fileno(file)) == 0 || errno == EINVAL);
#endif
  const int reason = errno;
  if (std::fclose(file) != 0 || !whole) give_up(whole ? errno : reason);
  std::error_code failure;
  std::filesystem::rename(temporary, path, failure);
  if (failure) give_up(failure.value());
}

}  // namespace elegans
