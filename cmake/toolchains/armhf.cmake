# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0

# 32-bit ARM with NEON, such as a Raspberry Pi 2 or newer. Eigen::Index is int.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_CXX_COMPILER arm-linux-gnueabihf-g++)
# Without -Wno-psabi, g++ notes each function whose calling convention GCC 10 changed.
set(CMAKE_CXX_FLAGS_INIT "-mfpu=neon-vfpv4 -Wno-psabi")
# A static program needs no libraries of the target where it runs.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-static")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm)
