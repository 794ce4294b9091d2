// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Turns a model file into C for a microcontroller: two files that need no library at all.
//
//     export_c model.safetensors --out motor
//
// writes motor.h and motor.c. The first comment of motor.h says what the network needs and how to call it.

#include <cctype>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <variant>

#include <CLI/CLI.hpp>

#include <elegans/core/number_text.hpp>
#include <elegans/io/c_source.hpp>
#include <elegans/io/model_file.hpp>
#include <elegans/io/sha256.hpp>
#include <elegans/system/file.hpp>

#include "support/c_check.hpp"
#include "support/c_package.hpp"
#include "support/csv.hpp"
#include "support/model_arguments.hpp"
#include "support/program.hpp"

namespace {

struct Request {
  std::string model, out, check;
  elegans::CSourceOptions options;
  elegans::ModelFileOptions file_options;
  examples::CPackage package = examples::CPackage::none;
};

/// Why a text cannot be the beginning of names of C; empty if it can.
std::string why_not_a_name(const std::string& name) {
  bool fits = !name.empty() && std::isalpha(static_cast<unsigned char>(name[0])) != 0 && !name.ends_with('_');
  for (const char c : name) fits = fits && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_');
  if (!fits) return "must be a name of C, with a letter in front and no _ at the end, got '" + name + "'";
  // C++ reserves these names.
  return name.find("__") == std::string::npos ? "" : "must have no __, which C++ reserves, got '" + name + "'";
}

void run(Request request) {
  const std::filesystem::path out(request.out);
  request.options.file_name = out.filename().string();
  if (request.options.file_name.find_first_of("\"\\\n") != std::string::npos || request.options.file_name.empty()) {
    elegans::detail::refuse("--out must end in the name of a file, got '", request.out, "'");
  }
  if (request.options.name.empty()) {
    request.options.name = request.options.file_name;
    const std::string reason = why_not_a_name(request.options.name);
    if (!reason.empty())
      elegans::detail::refuse("--out: the names in the file begin with its own, which ", reason,
                              ": give another one with --name");
  }
  const elegans::SafeTensors file{std::filesystem::path(request.model)};
  request.options.origin =
      "a model file whose SHA-256 is\n   " + elegans::detail::sha256(examples::read_text(request.model));
  std::visit(
      [&]<typename Model>(const Model& model) {
        const elegans::CSource c = elegans::c_source(model, request.options);
        std::string report;
        if (!request.check.empty()) {
          const auto x = examples::read_csv<double>(request.check);
          report = examples::check_c(model, c, request.options, x, request.check);
        }
        const auto package = examples::package_files(request.package, request.options.file_name);
        examples::check_package(package, out.parent_path());
        examples::write_package(package, out.parent_path());
        elegans::write_file(request.out + ".h", c.header);
        elegans::write_file(request.out + ".c", c.source);
        std::cout << report;
      },
      elegans::load_model<double>(file, request.file_options));
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  request.options.name.clear();
  double elapsed_time = 0;
  CLI::App app("Turns a model file into C for a microcontroller");
  app.add_option("MODEL", request.model, "Model file: ncps' state_dict, or written by elegans")->required();
  app.add_option("--out", request.out, "The two files, without .h and .c")->required();
  app.add_option("--name", request.options.name, "What all names in the files begin with (the files' own name)")
      ->check(why_not_a_name);
  const auto above_zero = [](const std::string& text) {
    const auto value = elegans::detail::read_number<double>(text);
    return value && *value > 0 ? "" : "must be above 0, got '" + text + "'";
  };
  CLI::Option* const elapsed =
      app.add_option("--elapsed-time", elapsed_time, "The elapsed time of every step (a parameter of each call)")
          ->check(above_zero);
  const std::map<std::string, elegans::CArithmetic> arithmetics{{"float", elegans::CArithmetic::float32},
                                                                {"q31", elegans::CArithmetic::q31},
                                                                {"q15", elegans::CArithmetic::q15},
                                                                {"int8", elegans::CArithmetic::int8}};
  app.add_option("--arithmetic", request.options.arithmetic,
                 "float (the default); or q31, q15, int8 (a CfC's weights), without float, at a fixed elapsed time")
      ->transform(CLI::CheckedTransformer(arithmetics));
  app.add_option("--input-range", request.options.input_range,
                 "Without float: inputs are between the negative of it and it (1)")
      ->check(above_zero);
  const std::map<std::string, elegans::CSigmoid> sigmoids{{"exact", elegans::CSigmoid::exact},
                                                          {"table", elegans::CSigmoid::table}};
  app.add_option("--sigmoid", request.options.sigmoid, "In q15 and int8: exact (the default), or from a table")
      ->transform(CLI::CheckedTransformer(sigmoids));
  app.add_option(
      "--check", request.check,
      "Inputs, a CSV row per time step: compiles the files here (with $CC, or cc), runs them, and prints the "
      "largest difference from the model in double");
  const std::map<std::string, examples::CPackage> packages{{"arduino", examples::CPackage::arduino},
                                                           {"zephyr", examples::CPackage::zephyr},
                                                           {"idf", examples::CPackage::idf}};
  app.add_option("--package", request.package,
                 "Adds what makes the folder of --out a library of arduino (and PlatformIO), zephyr or idf")
      ->transform(CLI::CheckedTransformer(packages));
  app.add_flag("--self-test", request.options.self_test,
               "Adds a function with which a device compares a few steps, compiled if NAME_SELF_TEST is defined");
  examples::ModelArguments arguments(app);
  return examples::run_program(app, argc, argv, "export_c", [&] {
    request.file_options = arguments.options();
    if (*elapsed) request.options.elapsed_time = elapsed_time;
    run(std::move(request));
  });
}
