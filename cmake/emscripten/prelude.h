/* SPDX-FileCopyrightText: The elegans authors */
/* SPDX-License-Identifier: Apache-2.0 */

/* Included before everything else: see elegansEmscripten.cmake. */
#pragma once

/* These are read while the compiler still calls itself a GCC. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/* emscripten's clang calls itself GCC 4.2. For old versions of GCC as for new ones, Eigen's code for SSE has assembly of
   x86, which WebAssembly does not have. */
#undef __GNUC__
