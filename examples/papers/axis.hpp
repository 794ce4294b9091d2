// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "windows.hpp"

namespace papers {

/// The sequences of traffic and ozone. Meant were sequences of 32 rows, from every fourth row on. But the code of the
/// published numbers exchanged the axes of time and of sequences: its sequence k, of 32, is the rows k, k + 4, k + 8, …
struct AxisOf {
  std::vector<Window> windows;
  Index length;
  const char* split_file;

  AxisOf(Index rows, bool mended) : length(32), split_file(mended ? "set.npy" : "set_as_published.npy") {
    for (Index s = 0; s < rows - 32; s += 4) windows.push_back({s});
    if (mended) return;
    length = static_cast<Index>(windows.size());
    windows.clear();
    for (Index k = 0; length > 0 && k < 32; ++k) windows.push_back({k, 4});
  }

  /// Cuts inputs and targets into the three sets.
  [[nodiscard]] Data cut_all(const Rows& x, const Rows& y, const TaskOptions& options) const {
    const Split split(options.data / split_file, windows.size());
    return {cut(x, y, split.of(windows, 0), length),
            cut(x, y, split.of(windows, 1), length),
            cut(x, y, split.of(windows, 2), length),
            {}};
  }
};

}  // namespace papers
