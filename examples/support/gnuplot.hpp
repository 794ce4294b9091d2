// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>

#include <elegans/core/error.hpp>
#include <elegans/system/file.hpp>

extern char** environ;  // NOLINT(readability-redundant-declaration): not every system declares it.

namespace examples {

/// Runs `gnuplot -c script picture arguments...` without a shell, so that no character in a path is special. The script
/// draws to a temporary file, which becomes the picture once it is whole. gnuplot runs in the locale "C", as it would
/// otherwise write decimal commas.
///
/// \return false if there is no gnuplot
/// \throws elegans::RuntimeError if gnuplot fails
inline bool gnuplot(const std::filesystem::path& script, const std::filesystem::path& picture,
                    const std::vector<std::string>& arguments) {
  elegans::detail::UnfinishedFile file(picture);
  std::vector<std::string> words{"gnuplot", "-c", script.string(), file.temporary().string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);

  std::string locale = "LC_ALL=C.UTF-8";
  std::vector<char*> environment{locale.data()};
  for (char** variable = environ; *variable; ++variable) {
    if (!std::string_view(*variable).starts_with("LC_ALL=")) environment.push_back(*variable);
  }
  environment.push_back(nullptr);

  pid_t child = 0;
  const int failure = posix_spawnp(&child, "gnuplot", nullptr, nullptr, pointers.data(), environment.data());
  if (failure == ENOENT) return false;
  int status = 0;
  const bool ended = failure == 0 && waitpid(child, &status, 0) == child && WIFEXITED(status);
  if (ended && WEXITSTATUS(status) == 127) return false;
  if (!ended || WEXITSTATUS(status) != 0) {
    throw elegans::RuntimeError("gnuplot could not draw " + picture.string() + " with " + script.string());
  }
  file.finish();
  return true;
}

}  // namespace examples
