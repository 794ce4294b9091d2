# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0

# 32-bit x86 with SSE2, whose programs also run on a 64-bit x86. Eigen::Index is int.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(CMAKE_CXX_COMPILER i686-linux-gnu-g++)
set(CMAKE_CXX_FLAGS_INIT "-msse2 -mfpmath=sse")
# A static program needs no libraries of the target where it runs.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
