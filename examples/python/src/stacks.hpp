// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nanobind/nanobind.h>

namespace elegans::python {

/// The layers that are no models of ncps, stacks, and the layers of a stack.
void bind_stacks(nanobind::module_& module);

}  // namespace elegans::python
