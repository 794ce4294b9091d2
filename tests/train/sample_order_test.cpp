// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include <elegans/train/sample_order.hpp>

#include "support/catch.hpp"
#include "support/refusal.hpp"

using namespace elegans;
using detail::SampleOrder;

namespace {

std::vector<Index> order_of(SampleOrder& samples, std::uint64_t seed, int epoch) {
  samples.shuffle(seed, epoch);
  return {samples.training().begin(), samples.training().end()};
}

}  // namespace

TEST_CASE("The last samples are held back, and a part of a sample is not trained on", "[train][sample_order]") {
  const SampleOrder order(7, 0.3);  // 4.9 samples are left
  CHECK(std::vector<Index>(order.training().begin(), order.training().end()) == std::vector<Index>{0, 1, 2, 3});
  CHECK(std::vector<Index>(order.held_back().begin(), order.held_back().end()) == std::vector<Index>{4, 5, 6});
  CHECK(support::refusal_of([] { SampleOrder(4, 0.9); }) ==
        "fit: validation_split leaves none of 4 samples to train on");
}

TEST_CASE("Every order of three samples comes up, and each epoch has its own", "[train][sample_order]") {
  SampleOrder samples(3, 0);
  std::set<std::vector<Index>> of_seeds, of_epochs;
  for (int k = 0; k < 100; ++k) {
    of_seeds.insert(order_of(samples, static_cast<std::uint64_t>(k), 0));
    of_epochs.insert(order_of(samples, 1, k));
  }
  CHECK(of_seeds.size() == 6);
  CHECK(of_epochs.size() == 6);
  // It does not depend on the orders before.
  SampleOrder fresh(3, 0);
  for (int epoch = 0; epoch < 10; ++epoch) {
    SampleOrder once(3, 0);
    CHECK(order_of(once, 7, epoch) == order_of(fresh, 7, epoch));
  }
}
