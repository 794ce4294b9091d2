// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Our side of tests/interop: reads a model file, trains some epochs with Adam as PyTorch has it, writes the model.
//
//     elegans_interop_train IN.safetensors OUT.safetensors [--epochs N --input X.csv --target Y.csv --losses L.csv]
//
// Without epochs it reads and writes only.

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <variant>

#include <CLI/CLI.hpp>

#include <elegans/io/model_file.hpp>
#include <elegans/system/file.hpp>
#include <elegans/train/adam.hpp>
#include <elegans/train/fit.hpp>

#include "support/csv.hpp"
#include "support/model_arguments.hpp"

namespace {

struct Request {
  std::filesystem::path in, out, input, target, losses;
  std::string precision = "double", prefix;
  int epochs = 0;
  double learning_rate = 0.01;
};

template <typename Scalar>
void run(const Request& request, const elegans::ModelFileOptions& options) {
  auto any_model = elegans::load_model<Scalar>(request.in, options);
  std::visit(
      [&](auto& model) {
        if (request.epochs > 0) {
          const elegans::Sequence<Scalar> x = examples::read_csv<Scalar>(request.input);
          const elegans::Sequence<Scalar> y = examples::read_csv<Scalar>(request.target);
          const elegans::Adam<Scalar> adam({.learning_rate = static_cast<Scalar>(request.learning_rate),
                                            .epsilon = static_cast<Scalar>(elegans::torch_epsilon)});
          const auto history = elegans::fit(model, x, y, adam, {.epochs = request.epochs, .show_progress = false});
          std::string text;
          for (const Scalar loss : history.loss) {
            examples::append_csv_row(Eigen::Array<Scalar, 1, 1>::Constant(loss), text);
          }
          elegans::write_file(request.losses, text);
        }
        elegans::save(model, request.out, {.prefix = request.prefix});
      },
      any_model);
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  CLI::App app("Reads a model file, trains it, writes it");
  app.add_option("IN", request.in)->required();
  app.add_option("OUT", request.out)->required();
  app.add_option("--epochs", request.epochs);
  app.add_option("--input", request.input);
  app.add_option("--target", request.target);
  app.add_option("--losses", request.losses);
  app.add_option("--learning-rate", request.learning_rate);
  app.add_option("--precision", request.precision)->check(CLI::IsMember({"float", "double"}));
  app.add_option("--save-prefix", request.prefix);
  examples::ModelArguments arguments(app);
  CLI11_PARSE(app, argc, argv);
  try {
    request.precision == "float" ? run<float>(request, arguments.options()) : run<double>(request, arguments.options());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "elegans_interop_train: %s\n", error.what());
    return 1;
  }
  return 0;
}
