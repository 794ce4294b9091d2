// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <elegans/core/fold.hpp>

#include "support/catch.hpp"

using namespace elegans::detail;

namespace {

template <int Lanes>
void check_fold() {
  using P = Packet<float, Lanes>;
  if constexpr (FoldedPacket<P>) {
    float from[4][Lanes], to[Lanes];
    for (int m = 0; m < 4; ++m) {
      for (int i = 0; i < Lanes; ++i) from[m][i] = static_cast<float>((i + 1) * (m + 2) * (i + m));  // exact
    }
    store<P>(to, fold<P>(load<P>(from[0]), load<P>(from[1]), load<P>(from[2]), load<P>(from[3])));
    for (int i = 0; i < Lanes; ++i) {
      const float* const group = from[i % 4] + i / 4 * 4;
      CHECK(to[i] == group[0] + group[1] + group[2] + group[3]);
    }
  }
}

}  // namespace

TEST_CASE("A fold sums every four lanes of four packets", "[core][fold]") {
#if defined(__GNUC__) && defined(__SSE2__)
  STATIC_REQUIRE(FoldedPacket<Packet<float, fewest_lanes<float>>>);
#endif
  check_fold<full_lanes<float>>();
  check_fold<fewest_lanes<float>>();
}
