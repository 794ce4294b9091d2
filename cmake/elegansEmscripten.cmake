# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0

# How emscripten (3.1.6, Debian's) compiles the library with SIMD. emscripten translates SSE2's intrinsics to
# WebAssembly's, so Eigen uses its code for SSE.
set(elegans_emscripten_flags
    -std=c++20 -O2 -msimd128 -msse2
    # Eigen includes mmintrin.h as well, which emscripten does not have; this is the guard of clang's own.
    -D__MMINTRIN_H
    -include "${CMAKE_CURRENT_LIST_DIR}/emscripten/prelude.h")
