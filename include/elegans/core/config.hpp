// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

// g++ 12 warns that its own header of AVX-512, which Eigen includes, uses what is not initialized (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <Eigen/Core>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#if !EIGEN_VERSION_AT_LEAST(3, 4, 0)
#error "elegans needs Eigen 3.4 or newer"
#endif

// 1 if the library throws errors. 0 if it calls ELEGANS_ON_ERROR instead, which is the default with -fno-exceptions.
// All files of a program must agree, because each of them compiles the same functions.
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
/// Without exceptions, the library calls this macro instead of throwing an Error. By default it prints the message on
/// standard error and aborts the program. Define it before the first include, alike in all files, to do something else:
///
///     [[noreturn]] void stop_the_motors(const char* message);
///     #define ELEGANS_ON_ERROR(message) stop_the_motors(message)
///     #include <elegans/elegans.hpp>
///
/// The message is a literal: the longest piece without numbers of the text that `Error::what` would return. So a
/// program without exceptions needs no streams and locales, which would be nine tenths of a small one. The call must
/// not return: it may stop or restart the program, or leave with `longjmp`. A `longjmp` runs no destructors, so give up
/// all objects that were in use. If the call does return, the program aborts.
#define ELEGANS_ON_ERROR(message) (std::fprintf(stderr, "%s\n", message), std::abort())
#endif
