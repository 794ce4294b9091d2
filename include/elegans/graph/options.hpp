// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace elegans {

/// The direction in which the signal runs: sensory neurons are at the left or at the top.
enum class GraphDirection { left_to_right, top_to_bottom };

/// Options of the picture of a wiring. Colours are those of Graphviz: names or "#rrggbb". The defaults look like the
/// pictures of ncps.
struct GraphOptions {
  std::string sensory_color = "#bcbd22";     ///< olive
  std::string inter_color = "#1f77b4";       ///< blue
  std::string command_color = "#17becf";     ///< cyan
  std::string motor_color = "#ff7f0e";       ///< orange
  std::string excitatory_color = "#2ca02c";  ///< green, with a normal arrowhead
  std::string inhibitory_color = "#d62728";  ///< red, with a flat arrowhead for readers who cannot tell red from green
  bool labels = true;                        ///< whether each neuron shows its number
  bool legend = true;                        ///< whether the picture explains its colours
  GraphDirection direction = GraphDirection::left_to_right;
  /// "layers" draws each layer as a column, or as a circle if its neurons feed each other. Any other text is the name
  /// of a layout engine of Graphviz, such as "dot" or "circo".
  std::string layout = "layers";
};

}  // namespace elegans
