// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#if !EIGEN_VERSION_AT_LEAST(3, 4, 0)
#error "elegans needs Eigen 3.4 or newer"
#endif

// 1 where the library throws, 0 where it calls ELEGANS_ON_ERROR instead: with -fno-exceptions. All files of a program
// must agree, as the same functions are compiled in each.
#ifndef ELEGANS_EXCEPTIONS
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#define ELEGANS_EXCEPTIONS 1
#else
#define ELEGANS_EXCEPTIONS 0
#endif
#endif

#if !ELEGANS_EXCEPTIONS
#include <cstdio>
#include <cstdlib>
#endif

#if (!ELEGANS_EXCEPTIONS && !defined(ELEGANS_ON_ERROR)) || defined(DOXYGEN)
/// What happens, without exceptions, where otherwise an Error is thrown. By default the message goes to standard error
/// and the program aborts. Define it before the first include, the same in all files, to do something else:
///
///     [[noreturn]] void stop_the_motors(const char* message);
///     #define ELEGANS_ON_ERROR(message) stop_the_motors(message)
///     #include <elegans/elegans.hpp>
///
/// The message is what `Error::what` would have: a text that ends with 0 and lives as long as the call. The call must
/// not return: it stops or restarts the program, or leaves with `longjmp` and gives up the objects in use, as nothing
/// is destroyed on the way. If it does return, the program aborts.
#define ELEGANS_ON_ERROR(message) (std::fprintf(stderr, "%s\n", message), std::abort())
#endif
