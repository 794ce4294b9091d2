// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <Eigen/Core>
#include <nlohmann/json.hpp>

namespace elegans_test {

/// A tensor of a golden file: row-major, as Python writes it.
struct Tensor {
  std::vector<Eigen::Index> shape;
  std::vector<double> values;

  double at(Eigen::Index i, Eigen::Index j) const { return values[static_cast<std::size_t>(i * shape[1] + j)]; }
  double at(Eigen::Index i, Eigen::Index j, Eigen::Index k) const {
    return values[static_cast<std::size_t>((i * shape[1] + j) * shape[2] + k)];
  }

  /// The tensor as (rows, columns). A vector becomes a column.
  Eigen::ArrayXXd array() const {
    const Eigen::Index rows = shape.empty() ? 1 : shape[0];
    const Eigen::Index columns = shape.size() < 2 ? 1 : shape[1];
    return Eigen::Map<const Eigen::Array<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>(values.data(), rows,
                                                                                                   columns);
  }
};

/// A golden file, trusted: `tests/data` is ours.
struct GoldenFile {
  std::map<std::string, Tensor> tensors;
  nlohmann::json metadata;

  explicit GoldenFile(const std::string& name) {
    std::ifstream file(std::string(ELEGANS_TEST_DATA) + "/" + name, std::ios::binary);
    if (!file) throw std::runtime_error("no golden file " + name);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    const auto header = nlohmann::json::parse(bytes.substr(8, static_cast<std::size_t>(length)));
    for (const auto& [key, entry] : header.items()) {
      if (key == "__metadata__") {
        metadata = nlohmann::json::parse(entry.at("case").get<std::string>());
        continue;
      }
      Tensor tensor;
      tensor.shape = entry.at("shape").get<std::vector<Eigen::Index>>();
      const auto begin = entry.at("data_offsets").at(0).get<std::size_t>();
      const auto end = entry.at("data_offsets").at(1).get<std::size_t>();
      if (entry.at("dtype") == "F64") {
        tensor.values.resize((end - begin) / sizeof(double));
        std::memcpy(tensor.values.data(), bytes.data() + 8 + length + begin, end - begin);
      } else {
        std::vector<float> narrow((end - begin) / sizeof(float));
        std::memcpy(narrow.data(), bytes.data() + 8 + length + begin, end - begin);
        tensor.values.assign(narrow.begin(), narrow.end());
      }
      tensors[key] = tensor;
    }
  }

  bool has(const std::string& name) const { return tensors.count(name) > 0; }
  const Tensor& operator[](const std::string& name) const { return tensors.at(name); }
};

}  // namespace elegans_test
