// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

#include <random>
#include <set>
#include <tuple>

#include <Eigen/Core>

#include <elegans/kernel/synapse/list.hpp>

#include "support/catch.hpp"

using elegans::Dynamic;
using elegans::Index;
using elegans::detail::SynapseList;
using elegans::detail::SynapseOrder;

namespace {

/// Checks a list against the matrix that it lists.
template <SynapseOrder Order, int Sources = Dynamic, int Destinations = Dynamic, typename Matrix>
void check_list(const Matrix& polarity) {
  const SynapseList<Sources, Destinations, Order> synapses(polarity);
  CHECK(synapses.sources() == polarity.rows());
  CHECK(synapses.destinations() == polarity.cols());
  CHECK(synapses.count() == polarity.cwiseAbs().sum());

  constexpr bool by_source = Order == SynapseOrder::by_source;
  const Index groups = by_source ? polarity.rows() : polarity.cols();
  CHECK(synapses.first(0) == 0);
  CHECK(synapses.first(groups) == synapses.count());
  std::set<std::tuple<int, int>> seen;
  bool fits = true;
  for (Index g = 0; g < groups; ++g) {
    int last = -1;
    for (Index s = synapses.first(g); s < synapses.first(g + 1); ++s) {
      const int source = synapses.source(s);
      const int destination = synapses.destination(s);
      const int member = by_source ? destination : source;
      fits = fits && (by_source ? source : destination) == g && member > last;
      fits = fits && polarity(source, destination) != 0;
      fits = fits && synapses.tensor_index(s) == source + polarity.rows() * destination;
      last = member;
      seen.emplace(source, destination);
    }
  }
  CHECK(fits);
  CHECK(static_cast<Index>(seen.size()) == synapses.count());
}

Eigen::MatrixXi random_polarities(int sources, int destinations, double density, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(0.0, 1.0);
  return Eigen::MatrixXi::NullaryExpr(sources, destinations, [&](Index, Index) {
    return uniform(random) < density ? (uniform(random) < 0.5 ? -1 : 1) : 0;
  });
}

}  // namespace

TEST_CASE("A list has each synapse of the matrix once, sorted by group", "[kernel][synapse]") {
  unsigned seed = 0;
  for (const int sources : {1, 2, 7, 20}) {
    for (const int destinations : {1, 3, 16}) {
      for (const double density : {0.0, 0.1, 0.5, 1.0}) {
        INFO("(" << sources << ", " << destinations << "), density " << density);
        const Eigen::MatrixXi polarity = random_polarities(sources, destinations, density, ++seed);
        check_list<SynapseOrder::by_source>(polarity);
        check_list<SynapseOrder::by_destination>(polarity);
      }
    }
  }
}

TEST_CASE("A list of fixed sizes is the same", "[kernel][synapse]") {
  for (const double density : {0.0, 0.5, 1.0}) {
    const Eigen::Matrix<int, 3, 5> polarity = random_polarities(3, 5, density, 9);
    check_list<SynapseOrder::by_source, 3, 5>(polarity);
    check_list<SynapseOrder::by_destination, 3, 5>(polarity);
  }
}

TEST_CASE("A neuron without synapses has an empty group", "[kernel][synapse]") {
  Eigen::MatrixXi polarity = Eigen::MatrixXi::Ones(3, 3);
  polarity.col(1).setZero();
  const SynapseList<Dynamic, Dynamic, SynapseOrder::by_destination> synapses(polarity);
  CHECK(synapses.first(1) == 3);
  CHECK(synapses.first(2) == 3);
}
