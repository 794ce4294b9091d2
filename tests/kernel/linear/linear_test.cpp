// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <vector>

#include <Eigen/Dense>

#include <elegans/kernel/linear/linear.hpp>
#include <elegans/kernel/linear/linear_adjoint.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

using Matrix = Eigen::MatrixXd;

/// Values in [-1, 1] that differ from place to place, and from salt to salt.
Matrix numbers(Index rows, Index columns, int salt) {
  Matrix result(rows, columns);
  for (Index i = 0; i < result.size(); ++i) result.data()[i] = std::sin(1.0 + 3.7 * static_cast<double>(i) + salt);
  return result;
}

/// (features, samples) in lanes, and back.
template <typename Lanes>
Buffer<double> in_lanes(const Matrix& values) {
  Buffer<double> result(extent<Lanes>(values.rows()));
  to_lanes<Lanes>(values.rows(), values.cols(), result.data(), [&](Index b, Index f) { return values(f, b); });
  return result;
}
template <typename Lanes>
Matrix out_of_lanes(const Buffer<double>& values, Index features, Index samples) {
  Matrix result(features, samples);
  from_lanes<Lanes>(features, samples, values.data(), [&](Index b, Index f, double value) { result(f, b) = value; });
  return result;
}

/// Forward, backward and the weights' gradient over some steps, against Eigen's products.
template <typename Lanes, int Maps>
void check(Index outputs, Index inputs, Index steps) {
  CAPTURE(outputs, inputs, steps, Maps, Lanes::lanes, Lanes::single);
  const Index samples = Lanes::samples;
  Linear<double, Maps> linear(outputs, inputs);
  std::vector<unsigned char> mask(static_cast<std::size_t>(outputs * inputs));
  for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = i % 3 != 1;
  std::vector<Matrix> weight, bias, d_weight, d_bias;
  for (int m = 0; m < Maps; ++m) {
    weight.push_back(numbers(outputs, inputs, m));
    bias.push_back(numbers(outputs, 1, 10 + m));
    // The first map is masked, and is taken over in two parts. The columns lie apart, as in a larger tensor.
    Matrix tall = numbers(outputs + 2, inputs, 90);
    tall.topRows(outputs) = weight[m];
    linear.pack_weight(m, tall.data(), outputs + 2, 0, 1, m == 0 ? mask.data() : nullptr);
    linear.pack_weight(m, tall.data() + outputs + 2, outputs + 2, 1, inputs - 1,
                       m == 0 ? mask.data() + outputs : nullptr);
    linear.pack_bias(m, bias[m].data());
    d_weight.push_back(Matrix::Zero(outputs, inputs));
    d_bias.push_back(Matrix::Zero(outputs, 1));
  }
  for (Index i = 0; i < outputs * inputs; ++i) {
    if (!mask[static_cast<std::size_t>(i)]) weight[0].data()[i] = 0;
  }
  LinearAdjoint<double, Maps> adjoint;
  adjoint.template reset<Lanes>(linear);
  for (Index t = 0; t < steps; ++t) {
    const Matrix x = numbers(inputs, samples, static_cast<int>(20 + t));
    const Buffer<double> x_lanes = in_lanes<Lanes>(x);
    Buffer<double> z[Maps], d_z[Maps];
    MapPointers<double, Maps> to{};
    MapPointers<const double, Maps> from{};
    Matrix d_x = numbers(inputs, samples, 5);
    Buffer<double> d_x_lanes = in_lanes<Lanes>(d_x);
    for (std::size_t m = 0; m < std::size_t{Maps}; ++m) {
      z[m].resize(extent<Lanes>(outputs));
      to[m] = z[m].data();
      const Matrix d = numbers(outputs, samples, static_cast<int>(50 + t) + static_cast<int>(m));
      d_z[m] = in_lanes<Lanes>(d);
      from[m] = d_z[m].data();
      d_x += weight[m].transpose() * d;
      d_weight[m] += d * x.transpose();
      d_bias[m] += d.rowwise().sum();
    }
    linear.view().template forward<Lanes>(x_lanes.data(), to);
    linear.view().template backward<Lanes>(from, d_x_lanes.data());
    adjoint.template append<Lanes>(x_lanes.data(), from);
    for (std::size_t m = 0; m < std::size_t{Maps}; ++m) {
      const Matrix wanted = (weight[m] * x).colwise() + bias[m].col(0);
      REQUIRE((out_of_lanes<Lanes>(z[m], outputs, samples) - wanted).cwiseAbs().maxCoeff() < 1e-12);
    }
    REQUIRE((out_of_lanes<Lanes>(d_x_lanes, inputs, samples) - d_x).cwiseAbs().maxCoeff() < 1e-12);
  }
  adjoint.template sum_up<Lanes>();
  for (int m = 0; m < Maps; ++m) {
    Matrix tall = Matrix::Ones(outputs + 2, inputs), got_bias = Matrix::Ones(outputs, 1);  // it adds
    adjoint.add_weight_gradient(m, tall.data(), outputs + 2, 0, 1, m == 0 ? mask.data() : nullptr);
    adjoint.add_weight_gradient(m, tall.data() + outputs + 2, outputs + 2, 1, inputs - 1,
                                m == 0 ? mask.data() + outputs : nullptr);
    adjoint.add_bias_gradient(m, got_bias.data());
    for (Index i = 0; m == 0 && i < outputs * inputs; ++i) {
      if (!mask[static_cast<std::size_t>(i)]) d_weight[0].data()[i] = 0;
    }
    REQUIRE(tall.bottomRows(2) == Matrix::Ones(2, inputs));
    REQUIRE((tall.topRows(outputs) - Matrix::Ones(outputs, inputs) - d_weight[m]).cwiseAbs().maxCoeff() < 1e-11);
    REQUIRE((got_bias - Matrix::Ones(outputs, 1) - d_bias[m]).cwiseAbs().maxCoeff() < 1e-11);
  }
}

template <typename Lanes>
void check_sizes() {
  for (const Index outputs : {1, 5, 16, 37}) {
    for (const Index inputs : {1, 2, 9, 30}) {
      check<Lanes, 1>(outputs, inputs, 3);
      check<Lanes, 4>(outputs, inputs, 3);
    }
  }
  check<Lanes, 4>(7, 5, 70);  // more steps than are added up at a time
}

}  // namespace

TEST_CASE("linear maps are Eigen's products, and their adjoints", "[kernel][linear]") {
  check_sizes<NeuronLanes<double, fewest_lanes<double>>>();
  check_sizes<NeuronLanes<double, full_lanes<double>>>();
  check_sizes<BatchLanes<double, fewest_lanes<double>>>();
  check_sizes<BatchLanes<double, full_lanes<double>>>();
}
