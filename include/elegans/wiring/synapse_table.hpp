// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <iomanip>
#include <locale>
#include <sstream>
#include <string>

#include <elegans/core/types.hpp>
#include <elegans/wiring/concepts.hpp>

namespace elegans {

/// How many of a wiring's possible synapses exist. A model has parameters for each pair of neurons, as ncps' has; only
/// those of existing synapses are computed with, and trained.
template <AnyWiring W>
[[nodiscard]] std::string synapse_table(const W& wiring) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  const auto line = [&](const char* name, const auto& polarity) {
    Index count = 0;
    for (Index s = 0; s < polarity.rows(); ++s) {
      for (Index d = 0; d < polarity.cols(); ++d) count += polarity(s, d) != 0;
    }
    const Index possible = polarity.rows() * polarity.cols();
    text << name << count << " of " << possible << " (" << std::fixed << std::setprecision(2)
         << 100.0 * static_cast<double>(possible - count) / static_cast<double>(possible) << "% sparse)\n";
  };
  text << "Neurons: " << wiring.units() << ", of which " << wiring.output_dim() << " motor\n";
  line("Synapses: ", wiring.adjacency_matrix());
  line("Sensory synapses: ", wiring.sensory_adjacency_matrix());
  return text.str();
}

}  // namespace elegans
