// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tuple>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <elegans/wiring/wiring.hpp>

namespace elegans::python {

/// Polarities, (sources, destinations).
using Polarities = nanobind::ndarray<nanobind::numpy, const int, nanobind::ndim<2>, nanobind::c_contig>;
/// A wiring as numpy has it: polarities between neurons and from the inputs (no rows before `build`), the number of
/// motor neurons, and the type and layer of each neuron.
using WiringTables = std::tuple<Polarities, Polarities, int, std::vector<std::string>, std::vector<int>>;

/// A wiring from its tables.
Wiring<> wiring_of(const WiringTables& tables);
/// The tables of a wiring.
WiringTables tables_of(const Wiring<>& wiring);

void bind_wirings(nanobind::module_& module);

}  // namespace elegans::python
