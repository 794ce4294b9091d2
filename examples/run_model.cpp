// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Runs a model from a file over a sequence.
//
//     run_model model.safetensors --input x.csv --output y.csv
//
// A CSV file has one row per time step. A model file from Python lacks some options of the model. Give them on the
// command line: see --help.

#include <cerrno>
#include <cstdio>
#include <string>
#include <variant>

#include <CLI/CLI.hpp>

#include <elegans/io/model_file.hpp>
#include <elegans/system/file.hpp>

#include "support/csv.hpp"
#include "support/model_arguments.hpp"
#include "support/program.hpp"

namespace {

struct Request {
  std::string model, input, timespans, initial_state, output, final_state;
  std::string precision = "double";
  elegans::ModelFileOptions options;
};

template <typename Scalar>
elegans::Context<Scalar> read_context(const Request& request, Eigen::Index steps, Eigen::Index state_size) {
  elegans::Context<Scalar> context;
  if (!request.timespans.empty()) {
    const auto spans = examples::read_csv<Scalar>(request.timespans);
    if (spans.rows() != steps || spans.cols() != 1) {
      elegans::detail::refuse(request.timespans, ": must have a row per time step, (", steps, ", 1), got (",
                              spans.rows(), ", ", spans.cols(), ")");
    }
    context.timespans = elegans::Timespans<Scalar>(spans);
  }
  if (!request.initial_state.empty()) {
    const auto state = examples::read_csv<Scalar>(request.initial_state);
    if (state.rows() != 1 || state.cols() != state_size) {
      elegans::detail::refuse(request.initial_state, ": must be one row, (1, state_size = ", state_size, "), got (",
                              state.rows(), ", ", state.cols(), ")");
    }
    context.initial_state = elegans::State<Scalar>(1, state_size);
    context.initial_state->array() = state;
  }
  return context;
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    elegans::detail::fail("cannot write to standard output: ", elegans::detail::system_reason(errno));
  }
}

template <typename Scalar>
void run(const Request& request) {
  auto any_model = elegans::load_model<Scalar>(std::filesystem::path(request.model), request.options);
  std::visit(
      [&](auto& model) {
        const auto x = examples::read_csv<Scalar>(request.input);
        if (x.cols() != model.input_dim()) {
          elegans::detail::refuse(request.input, ": must have a column per input of the model, ", model.input_dim(),
                                  ", got ", x.cols());
        }
        const auto y = model(x, read_context<Scalar>(request, x.rows(), model.state_size()));
        std::string outputs, final_state;
        for (Eigen::Index t = 0; t < y.time(); ++t) examples::append_csv_row(y.step(t).row(0), outputs);
        examples::append_csv_row(model.final_state().array().row(0), final_state);
        if (!request.final_state.empty()) elegans::write_file(request.final_state, final_state);
        request.output.empty() ? print(outputs) : elegans::write_file(request.output, outputs);
      },
      any_model);
}

}  // namespace

int main(int argc, char** argv) {
  Request request;
  CLI::App app("Runs a model from a safetensors file over a sequence");
  app.add_option("MODEL", request.model, "Model file: ncps' state_dict, or written by elegans")->required();
  app.add_option("--input", request.input, "Inputs: CSV, a row per time step, a column per input")->required();
  app.add_option("--timespans", request.timespans, "Elapsed times: CSV, a row per time step (1)");
  app.add_option("--initial-state", request.initial_state,
                 "State to start from: CSV, one row; with mixed memory the hidden, then the cell state (0)");
  app.add_option("--output", request.output, "Outputs: CSV, a row per time step (standard output)");
  app.add_option("--final-state", request.final_state, "State at the end: CSV, one row");
  app.add_option("--precision", request.precision, "Precision of the computation")
      ->capture_default_str()
      ->check(CLI::IsMember({"float", "double"}));
  examples::ModelArguments arguments(app);
  return examples::run_program(app, argc, argv, "run_model", [&] {
    request.options = arguments.options();
    request.options.return_sequences =
        true;  // a row per time step, even if the model was trained to give the last one only
    request.precision == "float" ? run<float>(request) : run<double>(request);
  });
}
