// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include <Eigen/QR>

#include <elegans/core/parameters.hpp>
#include <elegans/core/torch_random.hpp>
#include <elegans/core/types.hpp>

namespace elegans::detail {

/// Draws uniform values in +-bound for a tensor. It goes row by row, because PyTorch stores tensors that way.
template <typename Scalar>
void draw_uniform(const Parameter& entry, double bound, TorchRandom& random, Scalar* parameters) {
  for (int row = 0; row < entry.rows; ++row) {
    for (int column = 0; column < entry.columns; ++column) {
      const auto value = random.template uniform_fused<Scalar>(-bound, bound);
      parameters[entry.offset + row + Index{entry.rows} * column] = value;
    }
  }
}

/// Sets all values of a tensor.
template <typename Scalar>
void fill(const Parameter& entry, Scalar value, Scalar* parameters) {
  std::fill_n(parameters + entry.offset, entry.size(), value);
}

/// The initial values of `torch.nn.Linear(inputs, outputs)`: weights and biases are uniform in +-1 / sqrt(inputs).
template <int Capacity, typename Scalar>
void initialize_linear(const ParameterList<Capacity>& list, const std::string& name, TorchRandom& random,
                       Scalar* parameters) {
  const std::string prefix = name.empty() ? "" : name + ".";
  const Parameter& weight = list.at(prefix + "weight");
  const double root = std::sqrt(static_cast<double>(weight.columns));
  // The bound of the weights equals 1 / root, but PyTorch computes it this way, which rounds differently.
  draw_uniform(weight, std::sqrt(3.0) * (std::sqrt(2.0 / 6.0) / root), random, parameters);
  draw_uniform(list.at(prefix + "bias"), 1.0 / root, random, parameters);
}

/// The initial values of `torch.nn.init.xavier_uniform_`: Glorot and Bengio, AISTATS 2010.
template <typename Scalar>
void initialize_xavier(const Parameter& entry, TorchRandom& random, Scalar* parameters) {
  const double deviation = std::sqrt(2.0 / static_cast<double>(entry.rows + entry.columns));
  draw_uniform(entry, std::sqrt(3.0) * deviation, random, parameters);
}

/// Keras' initial values of a linear map: weights Glorot-uniform, which PyTorch calls Xavier, and biases of 0.
template <int Capacity, typename Scalar>
void initialize_keras_linear(const ParameterList<Capacity>& list, const std::string& name, TorchRandom& random,
                             Scalar* parameters) {
  const std::string prefix = name.empty() ? "" : name + ".";
  initialize_xavier(list.at(prefix + "weight"), random, parameters);
  fill(list.at(prefix + "bias"), Scalar(0), parameters);
}

/// The initial values of `torch.nn.init.orthogonal_`: a random matrix with orthonormal columns. It must have at least
/// as many rows as columns. Saxe, McClelland and Ganguli, Exact solutions to the nonlinear dynamics of learning, ICLR
/// 2014.
template <typename Scalar>
void initialize_orthogonal(const Parameter& entry, TorchRandom& random, Scalar* parameters) {
  Eigen::MatrixXd normal(entry.rows, entry.columns);
  for (Index i = 0; i < normal.size(); ++i) {
    // A normal value from two uniform ones: Box and Muller, 1958.
    const double radius = std::sqrt(-2.0 * std::log(1.0 - random.rand<double>()));
    normal.data()[i] = radius * std::cos(6.283185307179586477 * random.rand<double>());
  }
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(normal);
  Eigen::MatrixXd orthonormal = qr.householderQ() * Eigen::MatrixXd::Identity(entry.rows, entry.columns);
  for (int column = 0; column < entry.columns; ++column) {
    // PyTorch flips the signs like this, so that all orthonormal matrices are equally likely.
    if (qr.matrixQR()(column, column) < 0) orthonormal.col(column) *= -1.0;
  }
  ArrayView<Scalar>(parameters + entry.offset, entry.rows, entry.columns) = orthonormal.array().template cast<Scalar>();
}

}  // namespace elegans::detail
