// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>

#include <elegans/layer/step_mask.hpp>

#include "support/catch.hpp"

using namespace elegans;
using elegans::detail::BatchLanes;
using elegans::detail::NeuronLanes;
using elegans::detail::StepMask;

namespace {

/// Masks every combination of the samples of a tile that is not full, and that begins at sample 3 of a batch.
template <typename Lanes>
void check_step_mask(Index samples) {
  constexpr Index first = 3, t = 2, values = 5;
  const Index size = Lanes::index(values, 0);
  for (int bits = 0; bits < 1 << samples; ++bits) {
    CAPTURE(samples, bits, Lanes::single);
    const auto exists = [&](Index b) { return b < samples && (bits >> b & 1) == 1; };
    Eigen::ArrayXXi all = Eigen::ArrayXXi::Ones(4, first + samples + 2);
    for (Index b = 0; b < samples; ++b) all(t, first + b) = exists(b);
    const StepMask<Lanes> mask(Mask(all), t, first, samples);
    for (Index b = 0; b < Lanes::samples; ++b) CHECK(mask[b] == exists(b));
    CHECK(mask.all() == (bits == (1 << samples) - 1));
    CHECK(mask.any() == (bits != 0));

    Eigen::ArrayXd from = Eigen::ArrayXd::LinSpaced(size, 1, static_cast<double>(size));
    Eigen::ArrayXd to = -from, cleared = from;
    mask.copy_masked(values, from.data(), to.data());
    mask.clear_masked(values, cleared.data());
    for (Index i = 0; i < values; ++i) {
      for (Index b = 0; b < Lanes::samples; ++b) {
        const Index k = Lanes::index(i, b);
        const bool masked = b < samples && !exists(b);
        CHECK(to[k] == (masked ? from[k] : -from[k]));
        CHECK(cleared[k] == (masked ? 0 : from[k]));
      }
    }
  }
}

}  // namespace

TEST_CASE("A step's mask touches masked samples alone", "[layer][mask]") {
  constexpr int lanes = detail::full_lanes<double>;
  for (Index samples = 1; samples <= lanes; ++samples) check_step_mask<BatchLanes<double, lanes>>(samples);
  check_step_mask<NeuronLanes<double, lanes>>(1);
}

TEST_CASE("Without a mask every sample of a tile takes the step", "[layer][mask]") {
  constexpr int lanes = detail::full_lanes<double>;
  const StepMask<BatchLanes<double, lanes>> mask(Mask(), 7, 100, lanes);
  CHECK(mask.all());
  CHECK(mask.any());
  for (Index b = 0; b < lanes; ++b) CHECK(mask[b]);
}
