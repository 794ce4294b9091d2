# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0

# What tests, examples and benchmarks are compiled with, and nobody else.
add_library(elegans_development INTERFACE)
set(elegans_gnu_like "$<CXX_COMPILER_ID:GNU,Clang,AppleClang>")

# Clang's -Wconversion covers sign conversions, g++'s does not: the same rule for both.
target_compile_options(
  elegans_development
  INTERFACE "$<${elegans_gnu_like}:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow>"
            "$<$<CXX_COMPILER_ID:Clang,AppleClang>:-Wno-sign-conversion>"
            "$<$<AND:${elegans_gnu_like},$<BOOL:${ELEGANS_WARNINGS_AS_ERRORS}>>:-Werror>")

# Apart, as tests/march chooses its instructions file by file.
add_library(elegans_native INTERFACE)
target_compile_options(
  elegans_native INTERFACE "$<$<AND:${elegans_gnu_like},$<BOOL:${ELEGANS_NATIVE}>>:-march=native>")
