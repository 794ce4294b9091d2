// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include <elegans/kernel/synapse/drive.hpp>

#include "support/catch.hpp"

using namespace elegans;
using namespace elegans::detail;

namespace {

struct Parameters {
  Eigen::ArrayXXi polarity;
  Eigen::ArrayXXd sigma, mu, w, erev;  // (sources, destinations)
};

Parameters some_synapses(Index sources, Index destinations, double density) {
  std::mt19937 random(static_cast<unsigned>(7 * sources + destinations));
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto draw = [&](double low, double high) {
    return Eigen::ArrayXXd(Eigen::ArrayXXd::NullaryExpr(
        sources, destinations, [&](Index, Index) { return low + (high - low) * uniform(random); }));
  };
  Parameters p;
  p.polarity = (draw(0, 1) < density).cast<int>();
  p.sigma = draw(3, 8);
  p.mu = draw(0.3, 0.8);
  p.w = draw(0.01, 1);
  p.erev = draw(-1, 1);
  return p;
}

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

/// Runs a drive forward and back, and compares every result with plain loops in double over all pairs.
template <typename Lanes>
void check_drive(const Parameters& p, bool records) {
  using Scalar = typename Lanes::Scalar;
  using P = typename Lanes::Packet;
  CAPTURE(p.polarity.rows(), p.polarity.cols(), p.polarity.sum(), Lanes::lanes, Lanes::single, records);
  const Index sources = p.polarity.rows(), destinations = p.polarity.cols(), samples = Lanes::samples;
  const double tolerance = sizeof(Scalar) == 4 ? 2e-5 : 1e-12;
  const auto number = [](Index i, Index b, double salt) {
    return std::sin(1 + 2.3 * static_cast<double>(i) + 0.7 * static_cast<double>(b) + salt);
  };

  SynapticDrive<Scalar, Dynamic, Dynamic> drive(p.polarity);
  drive.pack(Lanes::single, [&](Index i) {
    const auto scalar = [i](const Eigen::ArrayXXd& values) { return static_cast<Scalar>(values.data()[i]); };
    return SynapseWeight<Scalar>{sigmoid_scale<Scalar> * scalar(p.sigma), scalar(p.sigma), scalar(p.mu), scalar(p.w),
                                 scalar(p.w) * scalar(p.erev)};
  });
  typename SynapticDrive<Scalar, Dynamic, Dynamic>::Scratch scratch;
  typename SynapticDrive<Scalar, Dynamic, Dynamic>::Adjoint adjoint;
  drive.template reserve<Lanes>(scratch);
  drive.template reset<Lanes>(adjoint);
  std::vector<Scalar> record(static_cast<std::size_t>(drive.template record_size<Lanes>()));
  Scalar* const memory = records && !record.empty() ? record.data() : nullptr;

  // A tile with values in every lane of a batch. A single sample's arrays are padded.
  const auto fill = [&](Index count, double salt) {
    Buffer<Scalar> values(pad_neurons(count) * Lanes::lanes);
    to_lanes<Lanes>(count, samples, values.data(), [&](Index b, Index i) { return Scalar(number(i, b, salt)); });
    return values;
  };
  const Buffer<Scalar> v = fill(sources, 0), n0 = fill(destinations, 1), d0 = fill(destinations, 2),
                       a = fill(destinations, 3), b = fill(destinations, 4);
  Buffer<Scalar> n(n0.size()), d(d0.size()), d_v = fill(sources, 5);
  const auto begin = [&](Index block) {
    return std::pair<P, P>{load<P>(n0.data() + block * Lanes::lanes), load<P>(d0.data() + block * Lanes::lanes)};
  };
  const auto keep = [&](Index block, const P& numerator, const P& denominator) {
    store(n.data() + block * Lanes::lanes, numerator);
    store(d.data() + block * Lanes::lanes, denominator);
  };
  const auto check_sums = [&] {
    for (Index i = 0; i < destinations; ++i) {
      for (Index sample = 0; sample < samples; ++sample) {
        double numerator = number(i, sample, 1), denominator = number(i, sample, 2);
        for (Index j = 0; j < sources; ++j) {
          if (p.polarity(j, i) == 0) continue;
          const double gate = sigmoid_of(p.sigma(j, i) * (number(j, sample, 0) - p.mu(j, i)));
          numerator += p.w(j, i) * p.erev(j, i) * gate;
          denominator += p.w(j, i) * gate;
        }
        REQUIRE(std::abs(n[Lanes::index(i, sample)] - numerator) < tolerance);
        REQUIRE(std::abs(d[Lanes::index(i, sample)] - denominator) < tolerance);
      }
    }
  };
  drive.template forward<Lanes>(v.data(), true, scratch, memory, begin, keep);
  check_sums();
  const auto go_back = [&](Buffer<Scalar>& d_sources) {
    std::fill_n(n.data(), n.size(), Scalar(0));
    drive.template backward<Lanes>(
        v.data(), true, scratch, memory, begin,
        [&](Index block, const P& numerator, const P& denominator) {
          keep(block, numerator, denominator);
          return std::pair<P, P>{load<P>(a.data() + block * Lanes::lanes), load<P>(b.data() + block * Lanes::lanes)};
        },
        d_sources.data(), adjoint);
    check_sums();
  };
  // A reset forgets the first pass. Of the sums of the other two, each pass contributes half.
  Buffer<Scalar> d_before = fill(sources, 6), d_first = fill(sources, 7);
  go_back(d_before);
  drive.template reset<Lanes>(adjoint);
  go_back(d_first);
  go_back(d_v);

  Eigen::ArrayXXd gate_a = Eigen::ArrayXXd::Zero(sources, destinations), gate_b = gate_a, slope = gate_a,
                  slope_v = gate_a;
  for (Index j = 0; j < sources; ++j) {
    for (Index sample = 0; sample < samples; ++sample) {
      double wanted = number(j, sample, 5);
      for (Index i = 0; i < destinations; ++i) {
        if (p.polarity(j, i) == 0) continue;
        const double x = number(j, sample, 0), da = number(i, sample, 3), db = number(i, sample, 4);
        const double gate = sigmoid_of(p.sigma(j, i) * (x - p.mu(j, i)));
        const double d_z = (p.w(j, i) * p.erev(j, i) * da + p.w(j, i) * db) * gate * (1 - gate);
        wanted += p.sigma(j, i) * d_z;
        gate_a(j, i) += gate * da;
        gate_b(j, i) += gate * db;
        slope(j, i) += d_z;
        slope_v(j, i) += d_z * x;
      }
      REQUIRE(std::abs(d_v[Lanes::index(j, sample)] - wanted) < 10 * tolerance);
    }
  }
  Index collected = 0;
  drive.template collect<Lanes>(adjoint, [&](Index i, const SynapseSums<Scalar>& sums) {
    ++collected;
    REQUIRE(p.polarity.data()[i] != 0);
    REQUIRE(std::abs(sums.gate_a / 2 - gate_a.data()[i]) < 10 * tolerance);
    REQUIRE(std::abs(sums.gate_b / 2 - gate_b.data()[i]) < 10 * tolerance);
    REQUIRE(std::abs(sums.slope / 2 - slope.data()[i]) < 10 * tolerance);
    REQUIRE(std::abs(sums.slope_v / 2 - slope_v.data()[i]) < 10 * tolerance);
  });
  CHECK(collected == p.polarity.sum());
}

template <typename Scalar>
void check_all(const Parameters& p) {
  const auto check_single = [&p]<typename Lanes>(Lanes) {
    if (!DenseRows<Scalar, Dynamic, Dynamic>::template has_row_of<Lanes>(p.polarity.cols())) return;
    for (const bool records : {false, true}) check_drive<Lanes>(p, records);
  };
  check_single(NeuronLanes<Scalar, full_lanes<Scalar>>());
  check_single(NeuronLanes<Scalar, std::max(fewest_lanes<Scalar>, full_lanes<Scalar> / 2)>());
  check_single(NeuronLanes<Scalar, fewest_lanes<Scalar>>());
  check_drive<BatchLanes<Scalar, full_lanes<Scalar>>>(p, false);
  check_drive<BatchLanes<Scalar, fewest_lanes<Scalar>>>(p, false);
}

}  // namespace

TEMPLATE_TEST_CASE("A drive and its adjoint are plain loops over all synapses", "[kernel][synapse]", float, double) {
  // Few destinations share a row in two halves; many make several groups. Two fit into one packet on every target.
  for (const auto& [sources, destinations] : {std::pair{1, 1}, {6, 2}, {2, 8}, {7, 5}, {9, 8}, {20, 17}, {33, 40}}) {
    for (const double density : {0.3, 1.0}) check_all<TestType>(some_synapses(sources, destinations, density));
  }
}

TEMPLATE_TEST_CASE("So is a drive in sparse columns", "[kernel][synapse]", float, double) {
  // Up to 64 sources the adjoints go back through registers, above through a list.
  for (const int units : {48, 64, 90}) {
    const Parameters p = some_synapses(units, units, 0.06);
    const SynapseList<Dynamic, Dynamic, SynapseOrder::by_source> list(p.polarity);
    const DenseRows<TestType, Dynamic, Dynamic> rows(list);
    const SingleDrive<TestType, Dynamic, Dynamic> single(p.polarity);
    REQUIRE(single.record_size() < PassRecord<TestType>::size(rows.slot_count(), units));
    check_all<TestType>(p);
  }
}

TEST_CASE("Rows tell how many slots they will have", "[kernel][synapse]") {
  using Rows = DenseRows<float, Dynamic, Dynamic>;
  for (const auto& [sources, destinations] : {std::pair{1, 1}, {6, 2}, {2, 8}, {7, 5}, {9, 8}, {20, 17}, {33, 40}}) {
    for (const double density : {0.0, 0.05, 0.3, 1.0}) {
      const Parameters p = some_synapses(sources, destinations, density);
      const SynapseList<Dynamic, Dynamic, SynapseOrder::by_source> list(p.polarity);
      CHECK(Rows::slots_for(list) == Rows(list).slot_count());
    }
  }
}

TEST_CASE("A drive without synapses changes nothing", "[kernel][synapse]") {
  check_all<double>(some_synapses(5, 6, 0));
  check_all<float>(some_synapses(40, 40, 0));
}
