// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <elegans/wiring/wiring.hpp>

namespace elegans::detail {

/// A point of the picture, in inches.
struct Point {
  double x = 0;
  double y = 0;
};

/// Neurons that are drawn together. Sensory neurons have the numbers -1, -2, …, the others those from 0 on.
struct Rank {
  std::vector<int> neurons;
  bool recurrent = false;  ///< whether some of them feed others of them
};

/// Puts the sensory neurons first, then the neurons of each layer, then the motor neurons. A wiring of one layer has
/// its motor neurons among the others, so they are taken out of their layer.
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

/// The points of the neurons of one rank, around (0, 0). Neurons that feed each other form a circle, so that no synapse
/// runs through a third neuron. Other neurons form a column, which zigzags if it is long.
inline std::vector<Point> points_in(const Rank& rank) {
  constexpr double pitch = 0.62;
  const auto count = static_cast<double>(rank.neurons.size());
  std::vector<Point> points;
  for (std::size_t k = 0; k < rank.neurons.size(); ++k) {
    const auto i = static_cast<double>(k);
    if (rank.recurrent && rank.neurons.size() > 2) {
      const double radius = (std::max)(0.6, count * pitch / (2 * std::numbers::pi));
      const double angle = 2 * std::numbers::pi * i / count;
      points.push_back({-radius * std::cos(angle), radius * std::sin(angle)});
    } else {
      const bool zigzag = rank.neurons.size() > 12;
      const double step = zigzag ? 0.55 * pitch : rank.recurrent ? 1.6 * pitch : pitch;
      points.push_back({zigzag ? (k % 2 == 0 ? -0.3 : 0.3) : 0.0, ((count - 1) / 2 - i) * step});
    }
  }
  return points;
}

}  // namespace elegans::detail
