// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include <elegans/kernel/synapse/stream_drive.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

/// Synapses of a density, sorted by destination.
template <typename Scalar>
std::vector<SynapseConstant<Scalar>> constant_synapses(int sources, int destinations, double density) {
  std::mt19937 random(static_cast<unsigned>(5 * sources + destinations));
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto draw = [&](double low, double high) { return static_cast<Scalar>(low + (high - low) * uniform(random)); };
  std::vector<SynapseConstant<Scalar>> synapses;
  for (int i = 0; i < destinations; ++i) {
    for (int j = 0; j < sources; ++j) {
      if (uniform(random) >= density) continue;
      const Scalar sigma = draw(3, 8), mu = draw(0.3, 0.8), w = draw(0.01, 1), erev = draw(-1, 1);
      synapses.push_back({static_cast<std::uint16_t>(j), static_cast<std::uint16_t>(i), sigmoid_scale<Scalar> * sigma,
                          mu, w, w * erev});
    }
  }
  return synapses;
}

/// Compares a drive with plain loops in double. \param strange  a value of the last source that is not finite, or 0
template <typename Scalar, int Sources, int Destinations, bool has_packets, int Lanes>
void check_stream_drive(double density, Scalar strange) {
  using Layout = NeuronLanes<Scalar, Lanes>;
  using P = typename Layout::Packet;
  CAPTURE(Sources, Destinations, has_packets, density, strange);
  const auto synapses = constant_synapses<Scalar>(Sources, Destinations, density);
  const StreamDrive<Scalar, Sources, Destinations, has_packets> drive(
      SynapseConstants<Scalar>{synapses.data(), static_cast<Index>(synapses.size())});
  typename StreamDrive<Scalar, Sources, Destinations, has_packets>::Scratch scratch;
  drive.reserve(scratch);

  std::vector<Scalar> v(pad_neurons(Sources)), n(pad_neurons(Destinations)), d(n.size());
  for (std::size_t j = 0; j < Sources; ++j) v[j] = static_cast<Scalar>(std::sin(1 + 2.3 * static_cast<double>(j)));
  if (strange != 0) v[Sources - 1] = strange;
  std::vector<double> numerator(Destinations), denominator(Destinations);
  for (std::size_t i = 0; i < Destinations; ++i) {
    n[i] = static_cast<Scalar>(0.1 * static_cast<double>(i));
    d[i] = static_cast<Scalar>(1 + 0.2 * static_cast<double>(i));
    numerator[i] = n[i];
    denominator[i] = d[i];
  }
  for (const auto& s : synapses) {
    const double gate =
        1 / (1 + std::exp(-double{s.steepness} / double{sigmoid_scale<Scalar>} * (double{v[s.source]} - double{s.mu})));
    numerator[s.destination] += double{s.w_erev} * gate;
    denominator[s.destination] += double{s.w} * gate;
  }
  drive.template forward<Layout>(
      v.data(), strange == 0, scratch,
      [&](Index block) {
        return std::pair<P, P>{load<P>(n.data() + block * Lanes), load<P>(d.data() + block * Lanes)};
      },
      [&](Index block, const P& all_n, const P& all_d) {
        store(n.data() + block * Lanes, all_n);
        store(d.data() + block * Lanes, all_d);
      });
  const double tolerance = sizeof(Scalar) == 4 ? 2e-5 : 1e-12;
  for (std::size_t i = 0; i < Destinations; ++i) {
    CAPTURE(i, n[i], numerator[i], d[i], denominator[i]);
    REQUIRE(std::isnan(n[i]) == std::isnan(numerator[i]));
    REQUIRE((std::isnan(n[i]) || std::abs(double{n[i]} - numerator[i]) < tolerance));
    REQUIRE((std::isnan(d[i]) || std::abs(double{d[i]} - denominator[i]) < tolerance));
  }
}

template <typename Scalar, int Sources, int Destinations>
void check_stream_drives(double density) {
  const Scalar infinity = std::numeric_limits<Scalar>::infinity();
  for (const Scalar strange : {Scalar(0), infinity, -infinity, std::numeric_limits<Scalar>::quiet_NaN()}) {
    check_stream_drive<Scalar, Sources, Destinations, false, 1>(density, strange);
    check_stream_drive<Scalar, Sources, Destinations, true, fewest_lanes<Scalar>>(density, strange);
  }
}

}  // namespace

TEMPLATE_TEST_CASE("A drive of constant synapses is a plain loop over them, with packets or without",
                   "[kernel][synapse]", float, double) {
  check_stream_drives<TestType, 6, 2>(1);
  check_stream_drives<TestType, 7, 5>(0.4);
  check_stream_drives<TestType, 20, 17>(0.3);
  check_stream_drives<TestType, 64, 64>(0.06);  // in columns
  check_stream_drives<TestType, 5, 6>(0);
}
