// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The version's one place: CMake reads these three lines.
#define ELEGANS_VERSION_MAJOR 0
#define ELEGANS_VERSION_MINOR 1
#define ELEGANS_VERSION_PATCH 0
