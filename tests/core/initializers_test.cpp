// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <vector>

#include <elegans/core/initializers.hpp>

#include "support/catch.hpp"

using namespace elegans;

namespace {

/// One tensor behind another of 7 values, which must stay as they are.
template <typename Scalar>
struct Tensor {
  ParameterList<> list;
  std::vector<Scalar> values;

  Tensor(int rows, int columns) {
    list.add("other", 7, 1);
    list.add("weight", rows, columns);
    list.add("bias", rows, 1);
    values.assign(static_cast<std::size_t>(list.count()), Scalar(42));
  }
  [[nodiscard]] ConstArrayView<Scalar> operator[](const char* name) const {
    const Parameter& entry = list.at(name);
    return {values.data() + entry.offset, entry.rows, entry.columns};
  }
};

/// Uniform values that fill the range, in both halves of which there are about as many.
template <typename Values>
void check_fills_range(const Values& values, double bound) {
  const Eigen::ArrayXXd as_double = values.template cast<double>();
  CHECK(as_double.abs().maxCoeff() <= bound * (1 + 1e-6));  // a bound in float is rounded
  CHECK(as_double.maxCoeff() > 0.9 * bound);
  CHECK(as_double.minCoeff() < -0.9 * bound);
  CHECK(as_double.mean() == Approx(0).margin(0.1 * bound));
  CHECK(as_double.square().mean() == Approx(bound * bound / 3).epsilon(0.1));
}

}  // namespace

TEMPLATE_TEST_CASE("A linear map starts uniform in +-1 / sqrt(inputs)", "[core][initializers]", float, double) {
  Tensor<TestType> tensor(400, 9);
  TorchRandom random(3);
  detail::initialize_linear(tensor.list, "", random, tensor.values.data());
  check_fills_range(tensor["weight"], 1.0 / 3);
  check_fills_range(tensor["bias"], 1.0 / 3);
  CHECK((tensor["other"] == TestType(42)).all());
}

TEMPLATE_TEST_CASE("Xavier's range depends on rows and columns together", "[core][initializers]", float, double) {
  for (const auto& [rows, columns] : {std::pair{40, 60}, {60, 40}}) {
    Tensor<TestType> tensor(rows, columns);
    TorchRandom random(3);
    detail::initialize_xavier(tensor.list.at("weight"), random, tensor.values.data());
    check_fills_range(tensor["weight"], std::sqrt(6.0 / 100));
    CHECK((tensor["other"] == TestType(42)).all());
    CHECK((tensor["bias"] == TestType(42)).all());
  }
}

TEMPLATE_TEST_CASE("An orthogonal start has orthonormal columns, different ones for each seed", "[core][initializers]",
                   float, double) {
  for (const auto& [rows, columns] : {std::pair{1, 1}, {5, 5}, {20, 5}, {64, 16}}) {
    CAPTURE(rows, columns);
    std::vector<Eigen::MatrixXd> starts;
    for (const unsigned seed : {1U, 2U}) {
      Tensor<TestType> tensor(rows, columns);
      TorchRandom random(seed);
      detail::initialize_orthogonal(tensor.list.at("weight"), random, tensor.values.data());
      const Eigen::MatrixXd q = tensor["weight"].template cast<double>().matrix();
      CHECK((q.transpose() * q - Eigen::MatrixXd::Identity(columns, columns)).cwiseAbs().maxCoeff() <
            (sizeof(TestType) == 4 ? 1e-6 : 1e-14));
      CHECK((tensor["other"] == TestType(42)).all());
      CHECK((tensor["bias"] == TestType(42)).all());
      starts.push_back(q);
    }
    if (rows > 1) CHECK((starts[0] - starts[1]).cwiseAbs().maxCoeff() > 0.1);
  }
}

TEST_CASE("Both signs of an orthogonal column are about as likely", "[core][initializers]") {
  // Without the flip of the signs, the QR decomposition would prefer one.
  int positive = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    Tensor<double> tensor(6, 2);
    TorchRandom random(seed);
    detail::initialize_orthogonal(tensor.list.at("weight"), random, tensor.values.data());
    positive += tensor["weight"](0, 0) > 0;
  }
  CHECK(positive > 70);
  CHECK(positive < 130);
}
