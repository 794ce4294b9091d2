// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The version stands here alone: CMake reads these three lines.
#define ELEGANS_VERSION_MAJOR 0
#define ELEGANS_VERSION_MINOR 1
#define ELEGANS_VERSION_PATCH 0

/// The version as a number that grows, for `#if`: 0.1.0 is 100, 1.2.3 is 10203.
#define ELEGANS_VERSION (ELEGANS_VERSION_MAJOR * 10000 + ELEGANS_VERSION_MINOR * 100 + ELEGANS_VERSION_PATCH)

/// The argument itself as text.
#define ELEGANS_TEXT_OF_VALUE(x) #x
/// The value of a macro as text.
#define ELEGANS_TEXT_OF(x) ELEGANS_TEXT_OF_VALUE(x)

/// The version as text: "0.1.0".
#define ELEGANS_VERSION_STRING           \
  ELEGANS_TEXT_OF(ELEGANS_VERSION_MAJOR) \
  "." ELEGANS_TEXT_OF(ELEGANS_VERSION_MINOR) "." ELEGANS_TEXT_OF(ELEGANS_VERSION_PATCH)
