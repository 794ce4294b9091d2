// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// The module behind `elegans.draw`. It is apart from the others because it alone needs Graphviz.

#include <string>

#include <nanobind/nanobind.h>

#include <elegans/graph/graph.hpp>

#include "wirings.hpp"

NB_MODULE(_graph, module) {
  using elegans::python::WiringTables;
  module.def("draw", [](const WiringTables& tables, const std::string& file) {
    elegans::draw(elegans::python::wiring_of(tables), file);
  });
}
