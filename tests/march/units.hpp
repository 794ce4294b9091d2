// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include <elegans/wiring/wiring.hpp>

using DynamicWiring = elegans::Wiring<>;
using FixedWiring = elegans::Wiring<4, 1, 2>;

/// What one translation unit makes of a type.
struct Layout {
  std::size_t size = 0;
  std::size_t alignment = 0;

  friend bool operator==(const Layout&, const Layout&) = default;
};

// The same functions, once compiled for every processor and once for this one.
#define ELEGANS_DECLARE_UNIT(unit)                                        \
  namespace unit {                                                        \
  int packet_bytes();                                                     \
  Layout layout_of_dynamic();                                             \
  Layout layout_of_fixed();                                               \
  DynamicWiring make_dynamic();                                           \
  FixedWiring make_fixed();                                               \
  int checksum(DynamicWiring wiring);                                     \
  int checksum(FixedWiring wiring);                                       \
  std::vector<DynamicWiring> make_dynamics(int count);                    \
  std::vector<FixedWiring> make_fixeds(int count);                        \
  /* Takes the vector over, lets it grow, and frees it or hands it on. */ \
  std::vector<DynamicWiring> grow(std::vector<DynamicWiring> wirings);    \
  std::vector<FixedWiring> grow(std::vector<FixedWiring> wirings);        \
  }

ELEGANS_DECLARE_UNIT(baseline)
ELEGANS_DECLARE_UNIT(wide)
