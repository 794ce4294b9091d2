// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

#include <CLI/CLI.hpp>

namespace examples {

/// Parses a command line, then runs the program. Every error is one line on standard error.
///
/// \param check  checks what no single option can check; throws CLI::ParseError
/// \return  the exit status: 0, 1 for an error, 2 for a wrong command line
template <typename Run, typename Check>
int run_program(CLI::App& app, int argc, char** argv, const char* name, Run run, Check check) {
  try {
    app.parse(argc, argv);
    check();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::string message = error.what();
    std::replace(message.begin(), message.end(), '\n', ' ');
    if (dynamic_cast<const CLI::ConversionError*>(&error)) message += ", which is not a number or out of range";
    std::fprintf(stderr, "%s: %s (see --help)\n", name, message.c_str());
    return 2;
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
