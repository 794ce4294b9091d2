// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <utility>

#include <Eigen/Core>

// A scalar that counts its exponentials: one per sigmoid. Eigen has no packets for it, so the kernels run with one
// lane, and no sigmoid is computed to fill up a packet.
namespace {

long exponentials = 0;

struct Counting {
  double value = 0;

  constexpr Counting() = default;
  constexpr Counting(double v) : value(v) {}
  explicit constexpr operator double() const { return value; }

  friend constexpr Counting operator+(Counting a, Counting b) { return a.value + b.value; }
  friend constexpr Counting operator-(Counting a, Counting b) { return a.value - b.value; }
  friend constexpr Counting operator*(Counting a, Counting b) { return a.value * b.value; }
  friend constexpr Counting operator/(Counting a, Counting b) { return a.value / b.value; }
  [[maybe_unused]] friend constexpr Counting operator-(Counting a) { return -a.value; }
  friend constexpr Counting& operator+=(Counting& a, Counting b) { return a = a + b; }
  [[maybe_unused]] friend constexpr bool operator==(Counting a, Counting b) = default;
};
Counting exp(Counting x) {
  ++exponentials;
  return std::exp(x.value);
}

}  // namespace

#include <elegans/kernel/synapse/drive.hpp>
#include <elegans/wiring/auto_ncp.hpp>
#include <elegans/wiring/fully_connected.hpp>
#include <elegans/wiring/random.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

struct Counts {
  long forward = 0;
  long backward = 0;
};

/// The sigmoids of one sample's way through a wiring's synapses, and of the way back.
template <typename Lanes>
Counts counted(const Eigen::ArrayXXi& polarity) {
  const Index n = polarity.cols();
  Buffer<Counting> v(n), d_v(n);
  SynapticDrive<Counting, Dynamic, Dynamic> drive(polarity);
  drive.pack(Lanes::single, [](Index) { return SynapseWeight<Counting>{}; });
  SynapticDrive<Counting, Dynamic, Dynamic>::Scratch scratch;
  SynapticDrive<Counting, Dynamic, Dynamic>::Adjoint adjoint;
  drive.template reserve<Lanes>(scratch);
  drive.template reset<Lanes>(adjoint);
  using P = typename Lanes::Packet;
  const auto begin = [](Index) { return std::pair{P(Counting(0)), P(Counting(0))}; };
  Counts result;
  exponentials = 0;
  drive.template forward<Lanes>(v.data(), true, scratch, nullptr, begin, [](Index, const P&, const P&) {});
  result.forward = std::exchange(exponentials, 0);
  drive.template backward<Lanes>(
      v.data(), true, scratch, nullptr, begin,
      [](Index, const P&, const P&) { return std::pair{P(Counting(1)), P(Counting(1))}; }, d_v.data(), adjoint);
  result.backward = exponentials;
  return result;
}

template <typename W>
Eigen::ArrayXXi polarity_of(W wiring) {
  wiring.build(2);
  return wiring.adjacency_matrix();
}

}  // namespace

TEST_CASE("A batch takes one sigmoid per synapse, forward and back", "[kernel][synapse]") {
  for (const auto& polarity : {polarity_of(FullyConnected(9, 2)), polarity_of(AutoNCP(20, 3)),
                               polarity_of(Random(64, 4, {.sparsity = 0.9}))}) {
    const long synapses = (polarity != 0).count();
    const Counts counts = counted<BatchLanes<Counting, 1>>(polarity);
    CHECK(counts.forward == synapses);
    CHECK(counts.backward == synapses);
  }
}

TEST_CASE("A single sample takes one sigmoid per synapse where every pair has a synapse", "[kernel][synapse]") {
  const Counts counts = counted<NeuronLanes<Counting, 1>>(polarity_of(FullyConnected(9, 2)));
  CHECK(counts.forward == 9 * 9);
  CHECK(counts.backward == 9 * 9);
}

TEST_CASE("A single sample takes hardly more than one sigmoid per synapse where few pairs have a synapse",
          "[kernel][synapse]") {
  for (const auto& polarity : {polarity_of(AutoNCP(64, 8)), polarity_of(Random(64, 4, {.sparsity = 0.97})),
                               polarity_of(Random(64, 4, {.sparsity = 0.99}))}) {
    const long synapses = (polarity != 0).count();
    const Counts counts = counted<NeuronLanes<Counting, 1>>(polarity);
    CHECK(counts.forward >= synapses);
    CHECK(counts.forward <= synapses + synapses / 4);
    CHECK(counts.backward == counts.forward);
  }
}

TEST_CASE("A single sample takes a sigmoid for each pair of a row that has a synapse", "[kernel][synapse]") {
  for (const auto& polarity : {polarity_of(AutoNCP(8, 1)), polarity_of(Random(20, 4, {.sparsity = 0.4}))}) {
    const Index n = polarity.cols();
    long pairs = 0;
    for (Index first = 0; first < n; first += neuron_padding) {
      const Index width = std::min<Index>(neuron_padding, n - first);
      for (Index j = 0; j < n; ++j) pairs += (polarity.row(j).segment(first, width) != 0).any() ? width : 0;
    }
    const Counts counts = counted<NeuronLanes<Counting, 1>>(polarity);
    CHECK(counts.forward == pairs);
    CHECK(counts.backward == pairs);
    CHECK(pairs < 8 * (polarity != 0).count());
  }
}
