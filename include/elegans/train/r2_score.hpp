// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <elegans/core/types.hpp>

namespace elegans {

// mutate all: metric.r2
/// R², the coefficient of determination: 1 - sum (y - p)^2 / sum (y - mean y)^2 of predictions p, and the mean of that
/// over the outputs. 1 is perfect, 0 as good as the mean of the targets. Mirrors scikit-learn's `r2_score`, also where
/// the targets are all the same: 1 if all predictions are right, else 0.
struct R2 {
  static constexpr const char* name = "r2";

  [[nodiscard]] static Index sum_count(Index outputs, Index) { return sums_per_output * outputs; }

  template <typename Scalar, typename Weights>
  static void add(ConstArrayView<Scalar> prediction, ConstArrayView<Scalar> target, const Weights& weight,
                  VectorView<double> sums) {
    for (Index f = 0; f < target.cols(); ++f) {
      double* const s = sums.data() + sums_per_output * f;
      for (Index row = 0; row < target.rows(); ++row) {
        const auto w = static_cast<double>(weight.coeff(row));
        if (w == 0) continue;
        const auto y = static_cast<double>(target(row, f)), p = static_cast<double>(prediction(row, f));
        // West, Updating mean and variance estimates, 1979: stable for targets far from 0.
        s[weights] += w;
        const double from_mean = y - s[mean];
        s[mean] += from_mean * w / s[weights];
        s[scatter] += w * from_mean * (y - s[mean]);
        s[errors] += w * (y - p) * (y - p);
      }
    }
  }

  /// Takes over the rows of other sums. Chan, Golub and LeVeque, 1979: as stable as `add`.
  static void merge(VectorView<double> sums, ConstVectorView<double> others) {
    for (Index f = 0; f < sums.size(); f += sums_per_output) {
      double* const s = sums.data() + f;
      const double* const o = others.data() + f;
      if (o[weights] == 0) continue;
      const double all = s[weights] + o[weights], from_mean = o[mean] - s[mean];
      s[scatter] += o[scatter] + from_mean * from_mean * s[weights] * o[weights] / all;
      s[mean] += from_mean * o[weights] / all;
      s[weights] = all;
      s[errors] += o[errors];
    }
  }

  [[nodiscard]] static double value(ConstVectorView<double> sums) {
    const Index outputs = sums.size() / sums_per_output;
    double total = 0;
    for (Index f = 0; f < outputs; ++f) {
      const double* const s = sums.data() + sums_per_output * f;
      if (s[scatter] > 0) {
        total += 1 - s[errors] / s[scatter];
      } else if (s[errors] == 0) {
        total += 1;
      }
    }
    return total / static_cast<double>(outputs);
  }

 private:
  enum { weights, mean, scatter, errors, sums_per_output };
};

}  // namespace elegans
