// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include <elegans/elegans.hpp>

#include "support/catch.hpp"
#include "support/safetensors.hpp"

namespace elegans_test {

/// PyTorch's name of one of our tensors. A tensor belongs to the LSTM, to the projection, or otherwise to the cell.
inline std::string name_in_file(const std::string& name) {
  return name.rfind("fc.", 0) == 0 || name.rfind("lstm.", 0) == 0 ? name : "rnn_cell." + name;
}

/// Copies every tensor of the model from the file.
template <typename Model>
void load_parameters(Model& model, const GoldenFile& file, const std::string& prefix = "param.") {
  for (const elegans::Parameter& entry : model.parameter_list()) {
    model.set_parameter(entry.name, file[prefix + name_in_file(entry.name)].array());
  }
}

/// (batch, time, features), or (batch, features) for a single step, as Python has it.
template <typename Scalar>
elegans::Sequence<Scalar> sequence_of(const Tensor& tensor) {
  const bool single = tensor.shape.size() == 2;
  elegans::Sequence<Scalar> sequence(single ? 1 : tensor.shape[1], tensor.shape[0], tensor.shape.back());
  for (Eigen::Index t = 0; t < sequence.time(); ++t) {
    for (Eigen::Index b = 0; b < sequence.batch(); ++b) {
      for (Eigen::Index f = 0; f < sequence.features(); ++f) {
        sequence(t, b, f) = static_cast<Scalar>(single ? tensor.at(b, f) : tensor.at(b, t, f));
      }
    }
  }
  return sequence;
}

/// The timespans and initial state that a file holds, if any.
template <typename Scalar>
elegans::Context<Scalar> context_of(const GoldenFile& file) {
  elegans::Context<Scalar> context;
  if (file.has("timespans")) context.timespans = elegans::Timespans<Scalar>(file["timespans"].array().transpose());
  if (file.has("h0")) {
    const Eigen::ArrayXXd h0 = file["h0"].array();
    const Eigen::ArrayXXd c0 = file.has("c0") ? file["c0"].array() : Eigen::ArrayXXd(h0.rows(), 0);
    context.initial_state = elegans::State<Scalar>(h0.rows(), h0.cols() + c0.cols());
    context.initial_state->array() << h0.cast<Scalar>(), c0.cast<Scalar>();
  }
  return context;
}

/// The largest difference of two arrays, relative to the largest value there is.
template <typename A, typename B>
double relative_difference(const A& got, const B& expected) {
  const double scale = std::max(static_cast<double>(expected.abs().maxCoeff()), 1e-30);
  return static_cast<double>((got.template cast<double>() - expected.template cast<double>()).abs().maxCoeff()) / scale;
}

/// The largest allowed difference of outputs, states and gradients, relative to the largest value of their tensor.
template <typename Scalar>
struct Tolerance;
template <>
struct Tolerance<double> {
  static constexpr double value = 1e-10;
  static constexpr double gradient = 1e-10;
};
template <>
struct Tolerance<float> {
  static constexpr double value = 2e-6;
  static constexpr double gradient = 1e-4;
};

/// Loads a file's parameters into a model of its kind; then outputs, final state and all gradients must be the file's.
template <typename Model>
void check_against(const GoldenFile& file, Model& model) {
  using Scalar = typename Model::Scalar;
  load_parameters(model, file);
  const auto x = sequence_of<Scalar>(file["x"]);
  const auto context = context_of<Scalar>(file);

  const auto& output = model.forward(x, context);
  const auto expected = sequence_of<double>(file["output"]);
  CHECK(relative_difference(output.values(), expected.values()) < Tolerance<Scalar>::value);
  CHECK(relative_difference(model.final_state().array(), file["final_state"].array()) < Tolerance<Scalar>::value);

  model.backward(sequence_of<Scalar>(file["cotangent"]));
  for (const elegans::Parameter& entry : model.parameter_list()) {
    INFO("gradient of " << entry.name);
    const auto gradient = file["grad." + name_in_file(entry.name)].array();
    CHECK(relative_difference(model.gradient(entry.name), gradient) < Tolerance<Scalar>::gradient);
  }
  CHECK(relative_difference(model.input_gradient().values(), sequence_of<double>(file["grad_x"]).values()) <
        Tolerance<Scalar>::gradient);
  if (file.has("h0")) {
    Eigen::ArrayXXd expected_d(x.batch(), model.state_size());
    const Eigen::ArrayXXd h0 = file["grad_h0"].array();
    expected_d << h0, (file.has("c0") ? file["grad_c0"].array() : Eigen::ArrayXXd(h0.rows(), 0));
    CHECK(relative_difference(model.initial_state_gradient().array(), expected_d) < Tolerance<Scalar>::gradient);
  }
  if (file.has("timespans")) {
    CHECK(relative_difference(model.timespans_gradient(), file["grad_timespans"].array().transpose()) <
          Tolerance<Scalar>::gradient);
  }
}

/// Without a tape, and step by step over a stream, the outputs and the final state must be the same.
template <typename Model>
void check_other_ways(const GoldenFile& file, Model& model) {
  using Scalar = typename Model::Scalar;
  const auto x = sequence_of<Scalar>(file["x"]);
  const auto context = context_of<Scalar>(file);
  const auto kept = model.forward(x, context);
  const auto final_state = model.final_state();
  CHECK((model(x, context).values() == kept.values()).all());
  CHECK((model.final_state().array() == final_state.array()).all());

  auto state = context.initial_state ? *context.initial_state : model.initial_state(x.batch());
  Eigen::Array<Scalar, Eigen::Dynamic, Eigen::Dynamic> y;
  for (elegans::Index t = 0; t < x.time(); ++t) {
    Eigen::Array<Scalar, Eigen::Dynamic, 1> elapsed(x.batch());
    for (elegans::Index b = 0; b < x.batch(); ++b) elapsed[b] = context.timespans(t, b);
    y = model.step(x.step(t), state, elapsed);
    if (model.return_sequences()) CHECK(relative_difference(y, kept.step(t)) < Tolerance<Scalar>::value);
  }
  CHECK(relative_difference(y, kept.step(kept.time() - 1)) < Tolerance<Scalar>::value);
  CHECK(relative_difference(state.array(), final_state.array()) < Tolerance<Scalar>::value);
}

}  // namespace elegans_test
