// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The functions of net.h for net.hpp, which export_header wrote. So device.c and measure.c run it as they run a network
// in C. `net_reset` makes the network, so the stack that is measured is also that of a start.

[[noreturn]] inline void stop(const char* message) {
  for (;;) *reinterpret_cast<const char* volatile*>(0x40000000) = message;
}
#define ELEGANS_ON_ERROR(message) stop(message)

#include "net.h"

#include <new>

#include "net.hpp"

static_assert(net::inputs == NET_INPUTS && net::outputs == NET_OUTPUTS);

namespace {

/// Room for an object that is made later.
template <typename T>
struct Room {
  alignas(T) unsigned char bytes[sizeof(T)];

  T& get() { return *std::launder(reinterpret_cast<T*>(bytes)); }
};

using StateType = decltype(net::Model().initial_state());

Room<net::Model> network;
Room<StateType> state;

}  // namespace

void net_reset(net_state*) {
  ::new (network.bytes) net::Model;
  ::new (state.bytes) StateType(network.get().initial_state());
}

int net_step(net_state*, const float* x, float elapsed, float* y) {
  const auto outputs =
      network.get().step(Eigen::Map<const Eigen::Array<float, NET_INPUTS, 1>>(x), state.get(), elapsed);
  for (int o = 0; o < NET_OUTPUTS; ++o) y[o] = outputs(0, o);
  return 0;
}
