// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace elegans::detail {

/// log2(e): 2^(log2(e) z) is exp(z).
inline constexpr double log2_of_e = 1.4426950408889634074;
/// The same for `exp2` of the C in float, whose exponents come times 2^23.
inline constexpr double float_log2_of_e = 8388608 * log2_of_e;

/// Linear maps of the same values, in double, as an exporter changes and writes them.
class CLinearMaps {
 public:
  CLinearMaps() = default;
  /// One map. \param weight  (outputs, inputs), column-major  \param bias  (outputs)
  CLinearMaps(const double* weight, int outputs, int inputs, const double* bias) : outputs_(outputs), inputs_(inputs) {
    const auto size = static_cast<std::size_t>(outputs) * static_cast<std::size_t>(inputs);
    maps_.push_back({{weight, weight + size}, {bias, bias + outputs}});
  }

  [[nodiscard]] int outputs() const noexcept { return outputs_; }
  [[nodiscard]] int inputs() const noexcept { return inputs_; }
  [[nodiscard]] int maps() const noexcept { return static_cast<int>(maps_.size()); }
  [[nodiscard]] double weight(int map, int output, int input) const { return at(map).weight[index(output, input)]; }
  [[nodiscard]] double bias(int map, int output) const { return at(map).bias[static_cast<std::size_t>(output)]; }

  void set_weight(int map, int output, int input, double value) {
    maps_[static_cast<std::size_t>(map)].weight[index(output, input)] = value;
  }
  /// Writes the weights of a map. \param weight  as in the constructor
  void copy_weight(int map, double* weight) const { std::copy(at(map).weight.begin(), at(map).weight.end(), weight); }

  /// Takes away the weights where a mask, of the shape of the weights, is 0.
  void mask(const unsigned char* exists) {
    for (Map& map : maps_) {
      for (std::size_t i = 0; i < map.weight.size(); ++i) map.weight[i] = exists[i] ? map.weight[i] : 0;
    }
  }
  void append(const CLinearMaps& other) { maps_.insert(maps_.end(), other.maps_.begin(), other.maps_.end()); }
  /// Adds `factor` times other maps.
  void add(const CLinearMaps& other, double factor) {
    for (std::size_t m = 0; m < maps_.size(); ++m) {
      for (std::size_t i = 0; i < maps_[m].weight.size(); ++i) maps_[m].weight[i] += factor * other.maps_[m].weight[i];
      for (std::size_t i = 0; i < maps_[m].bias.size(); ++i) maps_[m].bias[i] += factor * other.maps_[m].bias[i];
    }
  }
  void scale(int map, double factor) {
    for (double& w : maps_[static_cast<std::size_t>(map)].weight) w *= factor;
    for (double& b : maps_[static_cast<std::size_t>(map)].bias) b *= factor;
  }
  void add_to_bias(int map, double value) {
    for (double& b : maps_[static_cast<std::size_t>(map)].bias) b += value;
  }

  /// Moves the biases of maps of other inputs into these.
  void add_biases(CLinearMaps& other) {
    for (std::size_t m = 0; m < maps_.size(); ++m) {
      for (std::size_t i = 0; i < maps_[m].bias.size(); ++i) {
        maps_[m].bias[i] += std::exchange(other.maps_[m].bias[i], 0.0);
      }
    }
  }

  /// In the order in which a step reads them, with maps of other inputs behind these. \param with_biases  of those, too
  [[nodiscard]] std::vector<double> interleaved(const CLinearMaps& behind, bool with_biases = false) const {
    std::vector<double> values;
    for (int o = 0; o < outputs_; ++o) {
      add_row(o, true, values);
      behind.add_row(o, with_biases, values);
    }
    return values;
  }
  /// In the order in which a step reads them: for each output the biases of all maps, then for each input the weights
  /// of all maps.
  [[nodiscard]] std::vector<double> interleaved() const {
    std::vector<double> values;
    for (int o = 0; o < outputs_; ++o) add_row(o, true, values);
    return values;
  }

 private:
  struct Map {
    std::vector<double> weight, bias;
  };

  void add_row(int output, bool with_bias, std::vector<double>& values) const {
    for (int m = 0; with_bias && m < maps(); ++m) values.push_back(bias(m, output));
    for (int i = 0; i < inputs_; ++i) {
      for (int m = 0; m < maps(); ++m) values.push_back(weight(m, output, i));
    }
  }

  [[nodiscard]] const Map& at(int map) const { return maps_[static_cast<std::size_t>(map)]; }
  [[nodiscard]] std::size_t index(int output, int input) const {
    return static_cast<std::size_t>(output) + static_cast<std::size_t>(outputs_) * static_cast<std::size_t>(input);
  }

  int outputs_ = 0, inputs_ = 0;
  std::vector<Map> maps_;
};

}  // namespace elegans::detail
