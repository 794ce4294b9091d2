// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>

#include <elegans/core/error.hpp>

extern char** environ;  // NOLINT(readability-redundant-declaration): not every system declares it.

namespace examples {

/// Runs `gnuplot -c script picture arguments...`, without a shell, so that no character in a path is special. The
/// script draws to a temporary file, which becomes the picture once it is whole.
///
/// \return false if there is no gnuplot
/// \throws elegans::RuntimeError if gnuplot fails
inline bool gnuplot(const std::filesystem::path& script, const std::filesystem::path& picture,
                    const std::vector<std::string>& arguments) {
  const std::filesystem::path unfinished = picture.string() + ".unfinished";
  std::vector<std::string> words{"gnuplot", "-c", script.string(), unfinished.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  pid_t child = 0;
  const int failure = posix_spawnp(&child, "gnuplot", nullptr, nullptr, pointers.data(), environ);
  if (failure == ENOENT) return false;
  int status = 0;
  const bool ended = failure == 0 && waitpid(child, &status, 0) == child && WIFEXITED(status);
  std::error_code error;
  if (ended && WEXITSTATUS(status) == 127) return false;
  if (ended && WEXITSTATUS(status) == 0) {
    std::filesystem::rename(unfinished, picture, error);
    if (!error) return true;
  }
  std::filesystem::remove(unfinished, error);
  throw elegans::RuntimeError("gnuplot could not draw " + picture.string() + " with " + script.string());
}

}  // namespace examples
