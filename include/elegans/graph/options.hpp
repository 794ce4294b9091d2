// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace elegans {

/// Where the signal runs: sensory neurons at the left or at the top.
enum class GraphDirection { left_to_right, top_to_bottom };

/// How a wiring is drawn. Colours are Graphviz' (names or "#rrggbb"); the defaults are those of ncps' pictures.
struct GraphOptions {
  std::string sensory_color = "#bcbd22";     ///< olive
  std::string inter_color = "#1f77b4";       ///< blue
  std::string command_color = "#17becf";     ///< cyan
  std::string motor_color = "#ff7f0e";       ///< orange
  std::string excitatory_color = "#2ca02c";  ///< green, with a normal arrowhead
  std::string inhibitory_color = "#d62728";  ///< red, with a flat arrowhead, for those who cannot tell it from green
  bool labels = true;                        ///< each neuron's number
  bool legend = true;
  GraphDirection direction = GraphDirection::left_to_right;
  /// "layers": each layer a column, or a circle where its neurons feed each other. Else the name of a Graphviz layout
  /// engine, such as "dot" or "circo".
  std::string layout = "layers";
};

}  // namespace elegans
