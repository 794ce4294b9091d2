// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <elegans/wiring/wiring.hpp>

namespace elegans::detail {

/// A place on the paper, in inches.
struct Place {
  double x = 0;
  double y = 0;
};

/// Neurons drawn together. Sensory neurons are numbered -1, -2, …, the others from 0 on.
struct Rank {
  std::vector<int> neurons;
  bool recurrent = false;  ///< some of them feed others of them
};

/// Sensory neurons, then layer by layer, then the motor neurons, which wirings of one layer have among the others.
inline std::vector<Rank> ranks_of(const Wiring<>& wiring) {
  std::vector<Rank> ranks(1);
  for (int k = 0; k < wiring.input_dim(); ++k) ranks[0].neurons.push_back(-1 - k);
  for (int layer = 0; layer < wiring.num_layers(); ++layer) {
    Rank others;
    for (const int i : wiring.neurons_of_layer(layer)) {
      if (wiring.neuron_type(i) != NeuronType::motor) others.neurons.push_back(i);
    }
    if (!others.neurons.empty()) ranks.push_back(others);
  }
  Rank motor;
  for (int i = 0; i < wiring.output_dim(); ++i) motor.neurons.push_back(i);
  ranks.push_back(motor);
  const auto synapses = wiring.adjacency_matrix();
  for (Rank& rank : ranks) {
    for (const int s : rank.neurons) {
      for (const int d : rank.neurons) rank.recurrent = rank.recurrent || (s >= 0 && s != d && synapses(s, d) != 0);
    }
  }
  return ranks;
}

/// Places for the neurons of one rank around (0, 0): a circle if they feed each other, so that no synapse runs through
/// a third neuron; else a column, in zigzag if it is long.
inline std::vector<Place> places_in(const Rank& rank) {
  constexpr double pitch = 0.62;
  const auto count = static_cast<double>(rank.neurons.size());
  std::vector<Place> places;
  for (std::size_t k = 0; k < rank.neurons.size(); ++k) {
    const auto i = static_cast<double>(k);
    if (rank.recurrent && rank.neurons.size() > 2) {
      const double radius = std::max(0.6, count * pitch / (2 * std::numbers::pi));
      const double angle = 2 * std::numbers::pi * i / count;
      places.push_back({-radius * std::cos(angle), radius * std::sin(angle)});
    } else {
      const bool zigzag = rank.neurons.size() > 12;
      const double step = zigzag ? 0.55 * pitch : rank.recurrent ? 1.6 * pitch : pitch;
      places.push_back({zigzag ? (k % 2 == 0 ? -0.3 : 0.3) : 0.0, ((count - 1) / 2 - i) * step});
    }
  }
  return places;
}

}  // namespace elegans::detail
