// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <Eigen/Core>
#include <nlohmann/json.hpp>

#include <elegans/core/parameters.hpp>
#include <elegans/core/sequence.hpp>
#include <elegans/core/state.hpp>

#include "support/catch.hpp"

namespace support {

/// The cases that tests/data/generate_torch_layers.py made.
inline nlohmann::json torch_layers() {
  std::ifstream file(std::string(ELEGANS_TEST_DATA) + "/torch_layers.json");
  if (!file) throw std::runtime_error("no golden file torch_layers.json");
  return nlohmann::json::parse(file);
}

/// PyTorch's list of a tensor, row by row, as (rows, columns).
inline Eigen::ArrayXXd rows_of(const nlohmann::json& list, Eigen::Index rows) {
  const auto values = list.get<std::vector<double>>();
  using Rows = Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Rows>(values.data(), rows, static_cast<Eigen::Index>(values.size()) / rows);
}

/// PyTorch's list of a (time, batch, features) tensor.
template <typename Scalar>
elegans::Sequence<Scalar> sequence_of_list(const nlohmann::json& list, Eigen::Index time, Eigen::Index batch) {
  const Eigen::ArrayXXd rows = rows_of(list, time * batch);
  elegans::Sequence<Scalar> result(time, batch, rows.cols());
  for (Eigen::Index t = 0; t < time; ++t) {
    result.step(t) = rows.middleRows(t * batch, batch).template cast<Scalar>();
  }
  return result;
}

/// Sets the parameters of a case; then outputs, final state and all gradients must be PyTorch's.
template <typename Model>
void require_as_torch(const nlohmann::json& golden, Model& model) {
  using Scalar = typename Model::Scalar;
  const Eigen::Index time = golden.at("time"), batch = golden.at("batch");
  const double value_tolerance = sizeof(Scalar) == 4 ? 2e-6 : 1e-13;
  const double gradient_tolerance = sizeof(Scalar) == 4 ? 1e-4 : 1e-12;
  const auto close = [](const auto& got, const Eigen::ArrayXXd& wanted, double tolerance) {
    REQUIRE(got.rows() == wanted.rows());
    REQUIRE(got.cols() == wanted.cols());
    const double scale = (std::max)(1.0, wanted.abs().maxCoeff());
    CHECK((got.template cast<double>() - wanted).abs().maxCoeff() <= tolerance * scale);
  };
  const nlohmann::json& parameters =
      golden.contains("parameters") ? golden.at("parameters") : golden.at("initial_double");
  for (const elegans::Parameter& entry : model.parameter_list()) {
    model.set_parameter(entry.name, rows_of(parameters.at(entry.name), entry.rows));
  }
  typename Model::ContextType context;
  if (!golden.at("initial_state").empty()) {
    context.initial_state = model.initial_state(batch);
    context.initial_state->array() = rows_of(golden.at("initial_state"), batch).cast<Scalar>();
  }
  const auto y = model.forward(sequence_of_list<Scalar>(golden.at("x"), time, batch), context);
  model.backward(sequence_of_list<Scalar>(golden.at("cotangent"), time, batch));
  const auto values = [](const auto& sequence) { return Eigen::ArrayXX<Scalar>(sequence.values()); };
  close(values(y), sequence_of_list<double>(golden.at("y"), time, batch).values(), value_tolerance);
  close(values(model.input_gradient()), sequence_of_list<double>(golden.at("d_x"), time, batch).values(),
        gradient_tolerance);
  for (const elegans::Parameter& entry : model.parameter_list()) {
    INFO("gradient of " << entry.name);
    close(model.gradient(entry.name), rows_of(golden.at("gradients").at(entry.name), entry.rows), gradient_tolerance);
  }
  if (!context.initial_state) return;
  close(model.final_state().array(), rows_of(golden.at("final_state"), batch), value_tolerance);
  close(model.initial_state_gradient().array(), rows_of(golden.at("d_initial_state"), batch), gradient_tolerance);
}

}  // namespace support
