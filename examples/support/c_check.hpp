// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include <Eigen/Core>

#include <elegans/core/error.hpp>
#include <elegans/core/number_text.hpp>
#include <elegans/io/c_source.hpp>
#include <elegans/system/file.hpp>

#include "csv.hpp"

namespace examples {

/// A folder that is gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "elegans-export-XXXXXX").string();
    if (!::mkdtemp(name.data())) {
      elegans::detail::fail("cannot make a folder ", name, ": ", elegans::detail::system_reason(errno));
    }
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// Compiles a network's C on this machine, runs it over a sequence, and compares it with the model in double.
///
/// \param x      (time, inputs)
/// \param where  x comes from, for messages
/// \return  two lines that say how far they differ
/// \throws elegans::InvalidArgument if x does not fit the model, or if the network refuses a step;
///         elegans::RuntimeError if there is no compiler
template <typename Model>
std::string check_c(const Model& model, const elegans::CSource& c, const elegans::CSourceOptions& options,
                    const Table<double>& x, const std::string& where) {
  if (x.cols() != model.input_dim()) {
    elegans::detail::refuse(where, ": must have a column per input of the model, ", model.input_dim(), ", got ",
                            x.cols());
  }
  const TemporaryFolder folder;
  const auto file = [&](const char* name) { return (folder.path() / name).string(); };
  const std::string& name = options.name;
  elegans::write_file(file((options.file_name + ".h").c_str()), c.header);
  elegans::write_file(file("network.c"), c.source);
  std::string inputs;
  for (Eigen::Index t = 0; t < x.rows(); ++t) {
    for (Eigen::Index i = 0; i < x.cols(); ++i) {
      inputs += elegans::detail::number_text(static_cast<float>(x(t, i)), 9) + "\n";
    }
  }
  elegans::write_file(file("x"), inputs);
  elegans::write_file(
      file("main.c"),
      elegans::detail::concatenate(
          "#include <stdio.h>\n#include \"network.c\"\nint main(void) {\n"
          "  static ",
          name, "_state state;\n  float x[", model.input_dim(), "], y[", model.output_dim(),
          "];\n  int t, i;\n"
          "  ",
          name, "_reset(&state);\n  for (t = 0; t < ", x.rows(), "; ++t) {\n    int status;\n    for (i = 0; i < ",
          model.input_dim(), "; ++i) {\n      if (scanf(\"%f\", x + i) != 1) return 1;\n    }\n    status = ", name,
          "_step(&state, x, ", options.elapsed_time ? "" : "1.0f, ",
          "y);\n    printf(\"%d\", status);\n    for (i = 0; i < ", model.output_dim(),
          "; ++i) printf(\",%.9g\", status ? 0.0 : (double)y[i]);\n    printf(\"\\n\");\n  }\n"
          "  return 0;\n}\n"));
  const char* const compiler = std::getenv("CC");
  const std::string command = "cd '" + folder.path().string() + "' && " + (compiler && *compiler ? compiler : "cc") +
                              " -O2 -o check main.c >log 2>&1";
  if (std::system(command.c_str()) != 0) {
    std::string log = read_text(file("log"));
    elegans::detail::fail("--check: no compiler of C compiled the files: ", log.substr(0, log.find('\n')));
  }
  if (std::system(("cd '" + folder.path().string() + "' && ./check <x >y").c_str()) != 0) {
    elegans::detail::fail("--check: the compiled program failed");
  }
  const Table<double> got = read_csv<double>(file("y"));

  Model reference = model;
  auto state = reference.initial_state();
  Eigen::Array<double, 1, Eigen::Dynamic> row(x.cols());
  double largest = 0, low = 0, high = 0;
  Eigen::Index at = 0;
  for (Eigen::Index t = 0; t < x.rows(); ++t) {
    for (Eigen::Index i = 0; i < x.cols(); ++i) row[i] = static_cast<double>(static_cast<float>(x(t, i)));
    const auto y = reference.step(row, state, options.elapsed_time.value_or(1));
    if (got(t, 0) != 0) {
      elegans::detail::refuse(where, ", step ", t + 1, ": the network in C refuses it with ", got(t, 0),
                              ": see its .h");
    }
    for (Eigen::Index o = 0; o < y.size(); ++o) {
      const double error = std::fabs(got(t, 1 + o) - y(0, o));
      low = t + o == 0 ? y(0, o) : (std::min)(low, y(0, o));
      high = t + o == 0 ? y(0, o) : (std::max)(high, y(0, o));
      if (!(error <= largest)) largest = error, at = t;
    }
  }
  return elegans::detail::concatenate("Outputs of ", x.rows(), " steps, in double: between ", low, " and ", high,
                                      "\nLargest difference of the C from them: ", largest, " in step ", at + 1, "\n");
}

}  // namespace examples
