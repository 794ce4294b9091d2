// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include <elegans/elegans.hpp>

using DynamicWiring = elegans::Wiring<>;
using FixedWiring = elegans::Wiring<4, 1, 2>;
using DynamicModel = elegans::LTC<float>;
using FixedModel = elegans::LTC<float, elegans::AutoNCP<8, 1>, 2>;

/// Size and alignment of a type in one translation unit.
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
  Layout layout_of_dynamic_model();                                       \
  Layout layout_of_fixed_model();                                         \
  DynamicModel make_dynamic_model();                                      \
  FixedModel make_fixed_model();                                          \
  /* Steps and trains on a batch; the loss after it. */                   \
  double train(DynamicModel model);                                       \
  double train(FixedModel model);                                         \
  }

ELEGANS_DECLARE_UNIT(baseline)
ELEGANS_DECLARE_UNIT(wide)
