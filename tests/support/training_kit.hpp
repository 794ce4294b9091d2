// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include <Eigen/Core>
#include <nlohmann/json.hpp>

namespace support {

/// Losses, optimizers and schedules of PyTorch, in numbers. `tests/data/generate_training_kit.py` wrote them.
inline nlohmann::json training_kit() {
  std::ifstream file(std::string(ELEGANS_TEST_DATA) + "/training_kit.json");
  return nlohmann::json::parse(file);
}

/// A list of numbers, or of rows of numbers.
inline Eigen::ArrayXXd array_of(const nlohmann::json& values) {
  const bool rows = values[0].is_array();
  Eigen::ArrayXXd result(values.size(), rows ? values[0].size() : 1);
  for (Eigen::Index r = 0; r < result.rows(); ++r) {
    const auto& row = values[static_cast<std::size_t>(r)];
    for (Eigen::Index c = 0; c < result.cols(); ++c) {
      result(r, c) = rows ? row[static_cast<std::size_t>(c)].get<double>() : row.get<double>();
    }
  }
  return result;
}

}  // namespace support
