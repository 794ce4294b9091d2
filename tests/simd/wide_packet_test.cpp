// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <elegans/simd/wide_packet.hpp>

#include "support/catch.hpp"

using namespace elegans::detail;

namespace {

template <int Lanes>
void check_wide() {
  using Two = WidePacket<float, Lanes>;
  if constexpr (Two::exists) {
    using P = Packet<float, Lanes>;
    float low[Lanes], high[Lanes], both[2 * Lanes];
    for (int k = 0; k < Lanes; ++k) {
      low[k] = static_cast<float>(k);
      high[k] = static_cast<float>(-k - 1);
    }
    store(both, Two::join(load<P>(low), load<P>(high)));
    for (int k = 0; k < Lanes; ++k) {
      CHECK(both[k] == low[k]);
      CHECK(both[Lanes + k] == high[k]);
    }
    store(both, Two::broadcast_two(low + 2));
    for (int k = 0; k < 2 * Lanes; ++k) CHECK(both[k] == (k < Lanes ? 2.0f : 3.0f));
  }
}

}  // namespace

TEST_CASE("Two packets make one of twice as many lanes", "[simd][wide_packet]") {
  check_wide<4>();
  check_wide<8>();
  // The target's widest packet has none.
  STATIC_REQUIRE_FALSE(WidePacket<float, full_lanes<float>>::exists);
}
