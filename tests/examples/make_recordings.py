#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""make_recordings.py FOLDER

Writes four recordings of a made-up gait, as NumPy files of (120 steps, 17 observations) doubles: what half_cheetah reads.
Eight joints swing at the pace of the gait, each with its own amplitude and phase. The other nine observations stand for
velocities, so they are larger. All of them have some noise, and each recording starts at another point of the gait. The
generator is seeded: every run gets the same numbers.
"""
import math
import pathlib
import random
import struct
import sys

STEPS, JOINTS, OBSERVATIONS, PERIOD = 120, 8, 17, 12.5

generator = random.Random(1)
swings = [(generator.uniform(0.1, 0.5) if k < JOINTS else generator.uniform(1, 10), generator.uniform(0, 2 * math.pi))
          for k in range(OBSERVATIONS)]
for number in range(4):
    start = generator.uniform(0, PERIOD)
    values = [amplitude * math.sin(2 * math.pi * (start + step) / PERIOD + phase) + generator.gauss(0, amplitude / 20)
              for step in range(STEPS) for amplitude, phase in swings]
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({STEPS}, {OBSERVATIONS}), }}"
    header = header.ljust(128 - 10 - 1) + "\n"
    (pathlib.Path(sys.argv[1]) / f"trace_{number:04}.npy").write_bytes(
        b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
        struct.pack(f"<{len(values)}d", *values))
