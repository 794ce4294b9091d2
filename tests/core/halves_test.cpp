// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <elegans/core/halves.hpp>

#include "support/catch.hpp"

using namespace elegans::detail;

namespace {

template <typename P>
void check_halves() {
  if constexpr (DoubledPacket<P>) {
    using Two = Doubled<P>;
    constexpr int lanes = Eigen::internal::unpacket_traits<P>::size;
    float low[lanes], high[lanes], both[2 * lanes];
    for (int k = 0; k < lanes; ++k) {
      low[k] = static_cast<float>(k);
      high[k] = static_cast<float>(-k - 1);
    }
    store<typename Two::type>(both, Two::join(load<P>(low), load<P>(high)));
    for (int k = 0; k < lanes; ++k) {
      CHECK(both[k] == low[k]);
      CHECK(both[lanes + k] == high[k]);
    }
    store<typename Two::type>(both, Two::broadcast_two(low + 2));
    for (int k = 0; k < 2 * lanes; ++k) CHECK(both[k] == (k < lanes ? 2.0f : 3.0f));
  }
}

}  // namespace

TEST_CASE("Two packets make one of twice as many lanes", "[core][halves]") {
  check_halves<Packet<float, full_lanes<float>>>();
  check_halves<Packet<float, (full_lanes<float> > 1 ? full_lanes<float> / 2 : 1)>>();
  // No wider one than there is.
  STATIC_REQUIRE_FALSE(DoubledPacket<Packet<float, full_lanes<float>>>);
}
