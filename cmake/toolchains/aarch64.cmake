# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0

# 64-bit ARM, such as a Raspberry Pi 3 or newer with a 64-bit system.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# Without -Wno-psabi, g++ notes each function whose calling convention GCC 10 changed.
set(CMAKE_CXX_FLAGS_INIT "-Wno-psabi")
# A static program needs no libraries of the target where it runs.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
