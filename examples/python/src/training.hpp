// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace elegans::python {
struct Training {};
struct TrainingHistory {};
}  // namespace elegans::python
