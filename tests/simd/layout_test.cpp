// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <vector>

#include <elegans/simd/layout.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

/// 1000 times the feature, plus the sample, plus 1: exact, and never 0.
template <typename Scalar>
Scalar tag(Index sample, Index feature) {
  return static_cast<Scalar>(1000 * feature + sample + 1);
}

/// A tile that is not full goes into its lanes and comes back.
template <typename Lanes>
void check_round_trip(Index features, Index samples) {
  using Scalar = typename Lanes::Scalar;
  CAPTURE(features, samples, Lanes::lanes, Lanes::single);
  const Scalar untouched = -1;
  std::vector<Scalar> lanes(static_cast<std::size_t>(extent<Lanes>(features)), untouched);
  to_lanes<Lanes>(features, samples, lanes.data(), tag<Scalar>);
  const auto value = [&](Index i) { return lanes[static_cast<std::size_t>(i)]; };
  for (Index f = 0; f < features; ++f) {
    for (Index b = 0; b < Lanes::samples; ++b) {
      // A batch has a packet per feature, a single sample its features in a row.
      const Index where = Lanes::single ? f : f * Lanes::lanes + b;
      CHECK(value(where) == (b < samples ? tag<Scalar>(b, f) : Scalar(0)));
    }
  }
  for (Index i = Lanes::single ? features : features * Lanes::lanes; i < extent<Lanes>(features); ++i) {
    CHECK(value(i) == untouched);
  }
  Index count = 0;
  from_lanes<Lanes>(features, samples, lanes.data(), [&](Index b, Index f, Scalar got) {
    CHECK(got == tag<Scalar>(b, f));
    ++count;
  });
  CHECK(count == features * samples);
}

template <typename Scalar, int Count>
void check_layouts() {
  using Batch = BatchLanes<Scalar, Count>;
  using Neurons = NeuronLanes<Scalar, Count>;
  STATIC_REQUIRE(LaneLayout<Batch>);
  STATIC_REQUIRE(LaneLayout<Neurons>);
  for (const Index features : {1, 2, 5, 16, 17}) {
    for (Index samples = 1; samples <= Count; ++samples) check_round_trip<Batch>(features, samples);
    check_round_trip<Neurons>(features, 1);
    // Each block begins at its first neuron, and all blocks together hold every neuron.
    CHECK(Batch::blocks(features) == features);
    CHECK(Neurons::neuron(Neurons::blocks(features) - 1) < features);
    CHECK(Neurons::neuron(Neurons::blocks(features)) >= features);
  }

  Scalar memory[4 * Count];
  for (int i = 0; i < 4 * Count; ++i) memory[i] = static_cast<Scalar>(i * i);
  Scalar got[Count];
  const auto check_lanes = [&](const auto& packet, auto wanted) {
    store(got, packet);
    for (int lane = 0; lane < Count; ++lane) CHECK(got[lane] == wanted(lane));
  };
  check_lanes(Batch::per_neuron(memory, 3), [&](int) { return memory[3]; });
  check_lanes(Neurons::per_neuron(memory, 3), [&](int lane) { return memory[3 * Count + lane]; });
  check_lanes(Batch::per_sample(memory), [&](int lane) { return memory[lane]; });
  check_lanes(Neurons::per_sample(memory + 3), [&](int) { return memory[3]; });

  Scalar sums = 0, first_half = 0;
  for (int lane = 0; lane < Count; ++lane) {
    sums += memory[2 * Count + lane];
    if (lane < Count / 2) first_half += memory[2 * Count + lane];
  }
  CHECK(Batch::sum_samples(memory, 2) == sums);
  CHECK(Neurons::sum_samples(memory, 2) == memory[2]);
  if constexpr (Count > fewest_lanes<Scalar>) {
    CHECK(HalfOf<Batch, 0>::sum_samples(memory, 2) == first_half);
    CHECK(HalfOf<Batch, 1>::sum_samples(memory, 2) == sums - first_half);
  }

  const Scalar was = memory[1];
  Batch::add_to_samples(memory, Batch::per_sample(memory));
  CHECK(memory[Count > 1 ? 1 : 0] == (Count > 1 ? was + was : Scalar(0)));
  Scalar total = 5;
  Neurons::add_to_samples(&total, Batch::per_neuron(memory, 0) + typename Batch::Packet(Scalar(2)));
  CHECK(total == static_cast<Scalar>(5 + 2 * Count));
}

struct Choice {
  bool single;
  Index lanes;
};
template <typename Scalar>
Choice choice(Index batch, Index units, Index widest = full_lanes<Scalar>) {
  return with_lanes<Scalar>(
      batch, units, []<LaneLayout Lanes>() { return Choice{Lanes::single, Lanes::lanes}; }, widest);
}

}  // namespace

TEMPLATE_TEST_CASE("Values lie in lanes as their layout says", "[simd][layout]", float, double) {
  check_layouts<TestType, full_lanes<TestType>>();
  check_layouts<TestType, fewest_lanes<TestType>>();
}

TEMPLATE_TEST_CASE("A batch takes the narrowest packet that holds it", "[simd][layout]", float, double) {
  constexpr Index fewest = fewest_lanes<TestType>, full = full_lanes<TestType>;
  for (Index batch = 2; batch <= 70; ++batch) {
    CAPTURE(batch);
    const Choice taken = choice<TestType>(batch, 8);
    CHECK(!taken.single);
    CHECK((taken.lanes >= batch || taken.lanes == full));
    CHECK((taken.lanes / 2 < batch || taken.lanes == fewest));
    CHECK(choice<TestType>(batch, 8, fewest).lanes == fewest);
  }
}

TEMPLATE_TEST_CASE("A single sample takes the widest packets that waste at most a sixth of their lanes",
                   "[simd][layout]", float, double) {
  constexpr Index fewest = fewest_lanes<TestType>, full = full_lanes<TestType>;
  for (Index units = 1; units <= 70; ++units) {
    CAPTURE(units);
    const Choice taken = choice<TestType>(1, units);
    const auto wastes = [&](Index lanes) {
      const Index all = (units + lanes - 1) / lanes * lanes;
      return 6 * (all - units) > all;
    };
    CHECK(taken.single);
    CHECK((!wastes(taken.lanes) || taken.lanes == fewest));
    for (Index wider = 2 * taken.lanes; wider <= full; wider *= 2) CHECK(wastes(wider));
  }
}

TEST_CASE("Groups cover a count in order, the largest first", "[simd][layout]") {
  for (Index count = 0; count <= 40; ++count) {
    Index next = 0, last = 8;
    in_groups<8>(count, [&]<int Count>(Index first) {
      CHECK(first == next);
      CHECK(Count <= last);
      CHECK((Count == 8 || Count < last));  // only full groups repeat
      next += Count;
      last = Count;
    });
    CHECK(next == count);
  }
}

TEST_CASE("Padding goes to the next multiple of 16", "[simd][layout]") {
  for (const auto& [count, padded] : {std::pair{0, 0}, {1, 16}, {15, 16}, {16, 16}, {17, 32}, {100, 112}}) {
    CHECK(pad_neurons(count) == padded);
    CHECK(pad_neurons(Index{count}) == padded);
  }
  CHECK(pad_neurons(int{Dynamic}) == Dynamic);
}
