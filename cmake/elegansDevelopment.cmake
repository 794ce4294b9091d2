# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0

# The warnings for tests, examples and benchmarks. Users of the library do not get them.
add_library(elegans_development INTERFACE)
set(elegans_gnu_like "$<CXX_COMPILER_ID:GNU,Clang,AppleClang>")

# clang's -Wconversion covers sign conversions, g++'s does not: make both alike.
target_compile_options(
  elegans_development
  INTERFACE "$<${elegans_gnu_like}:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow>"
            "$<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wno-sign-conversion>"
            "$<$<AND:${elegans_gnu_like},$<BOOL:${ELEGANS_WARNINGS_AS_ERRORS}>>:-Werror>")

# A target of its own, since tests/march chooses instructions file by file.
add_library(elegans_native INTERFACE)
target_compile_options(
  elegans_native INTERFACE "$<$<AND:${elegans_gnu_like},$<BOOL:${ELEGANS_NATIVE}>>:-march=native>")
