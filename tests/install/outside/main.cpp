// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#include <cstdio>
#include <string_view>

#include <elegans/elegans.hpp>

// The version of the package must be that of the headers.
#ifdef VERSION_OF_PACKAGE
static_assert(std::string_view(VERSION_OF_PACKAGE) == ELEGANS_VERSION_STRING);
#endif

int main() {
  elegans::Wiring<> w(4, 1);
  w.add_synapse(3, 0, 1);
  std::printf("%d neurons, %d synapse\n", w.units(), w.synapse_count());
  return w.synapse_count() == 1 ? 0 : 1;
}
