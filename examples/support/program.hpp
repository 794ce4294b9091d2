// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

namespace examples {

/// Reads a command line, then does what the program is for. An error is one line on standard error.
///
/// \param check  what the command line's options cannot check by themselves; throws CLI::ParseError
/// \return  the exit status: 0, 1 for an error, 2 for a wrong command line
template <typename Run, typename Check>
int run_program(CLI::App& app, int argc, char** argv, const char* name, Run run, Check check) {
  try {
    app.parse(argc, argv);
    check();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name, error.what());
    return 1;
  }
  return 0;
}

template <typename Run>
int run_program(CLI::App& app, int argc, char** argv, const char* name, Run run) {
  return run_program(app, argc, argv, name, run, [] {});
}

}  // namespace examples
