// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#if !EIGEN_VERSION_AT_LEAST(3, 4, 0)
#error "elegans needs Eigen 3.4 or newer"
#endif

// Defined to 1 where `throw` is available. Without exceptions, ELEGANS_ON_ERROR(message) is called
// instead and must not return; it aborts by default.
#ifndef ELEGANS_EXCEPTIONS
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#define ELEGANS_EXCEPTIONS 1
#else
#define ELEGANS_EXCEPTIONS 0
#endif
#endif

#if !ELEGANS_EXCEPTIONS && !defined(ELEGANS_ON_ERROR)
#include <cstdio>
#include <cstdlib>
#define ELEGANS_ON_ERROR(message) (std::fprintf(stderr, "%s\n", message), std::abort())
#endif
