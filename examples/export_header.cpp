// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Turns a model file into a header: weights as constants, sizes in the type.
//
//     export_header model.safetensors --out model.hpp
//
// What includes it needs elegans and Eigen to compile, and at run time neither files, heap, exceptions nor RTTI.

#include <cctype>
#include <filesystem>
#include <string>
#include <variant>

#include <CLI/CLI.hpp>

#include <elegans/io/model_description.hpp>
#include <elegans/io/model_file.hpp>
#include <elegans/system/file.hpp>

#include "support/model_arguments.hpp"
#include "support/model_header.hpp"
#include "support/program.hpp"

namespace {

struct Request {
  std::string model, out, name = "model", precision;
  elegans::ModelFileOptions options;
};

template <typename Scalar>
void run(const Request& request) {
  const elegans::SafeTensors file{std::filesystem::path(request.model)};
  std::visit(
      [&](const auto& model) {
        // Beyond, an LTC in place is larger than what compilers and stacks are made for. A CfC's weights stay where
        // they are.
        const bool in_place = requires { model.wiring(); };
        if (in_place && (model.units() > 256 || model.input_dim() > 256)) {
          file.refuse("an LTC to export must have at most 256 units and 256 inputs, got ", model.units(), " and ",
                      model.input_dim());
        }
        elegans::write_file(request.out, examples::ModelHeader<Scalar>(model, request.name).text());
      },
      elegans::load_model<Scalar>(file, request.options));
}

bool is_double(const Request& request) {
  if (!request.precision.empty()) return request.precision == "double";
  const elegans::SafeTensors file{std::filesystem::path(request.model)};
  const elegans::ModelDescription model = elegans::describe_model(file, request.options);
  return file.at(model.names.in_file(model.parameters.begin()->name)).type == elegans::TensorType::f64;
}

std::string check_name(const std::string& name) {
  bool fits = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0;
  for (const char c : name) fits = fits && (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_');
  return fits ? "" : "must be a name of C++, got " + name;
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  CLI::App app("Turns a model file into a C++ header");
  app.add_option("MODEL", request.model, "Model file: ncps' state_dict, or written by elegans")->required();
  app.add_option("--out", request.out, "The header")->required();
  app.add_option("--name", request.name, "Its namespace")->capture_default_str()->check(check_name);
  app.add_option("--precision", request.precision, "Of the weights and the computation (the file's)")
      ->check(CLI::IsMember({"float", "double"}));
  examples::ModelArguments arguments(app);
  return examples::run_program(app, argc, argv, "export_header", [&] {
    request.options = arguments.options();
    is_double(request) ? run<double>(request) : run<float>(request);
  });
}
