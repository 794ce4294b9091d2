#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""make_papers_data.py FOLDER

Writes a folder for each task of the program papers, in the formats that it reads, with little data that can be learned:
what is to be told follows from the inputs, with some noise. The generator is seeded: every run gets the same numbers.
"""
import math
import pathlib
import random
import struct
import sys

out = pathlib.Path(sys.argv[1])
generator = random.Random(1)
TYPES = {"<f8": "d", "<f4": "f", "|u1": "B", "<i2": "h", "<u4": "I"}


def write_npy(path, descr, values, shape):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    header = header.ljust(128 - 10 - 1) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     struct.pack(f"<{len(values)}{TYPES[descr]}", *values))


def write_rows(path, descr, rows):
    write_npy(path, descr, [value for row in rows for value in row], (len(rows), len(rows[0])))


def write_list(path, descr, values):
    write_npy(path, descr, values, (len(values),))


def write_csv(path, names, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([names] + [",".join(map(str, row)) for row in rows]) + "\n")


def noise(size):
    return generator.gauss(0, size)


def sets(count):
    """Training, validation and test, in turn."""
    return [(0, 0, 0, 1, 2)[i % 5] for i in range(count)]


def gait(features, steps):
    """Features that swing at one pace, each with its own amplitude and phase; every call starts elsewhere."""
    start = generator.uniform(0, 12.5)
    return [[amplitude * math.sin(2 * math.pi * (start + t) / 12.5 + phase) + noise(amplitude / 20)
             for amplitude, phase in features] for t in range(steps)]


def half_cheetah():
    features = [(generator.uniform(0.1, 0.5) if k < 8 else generator.uniform(1, 10), generator.uniform(0, 2 * math.pi))
                for k in range(17)]
    for number in range(25):
        write_rows(out / "half_cheetah" / f"trace_{number:04}.npy", "<f8", gait(features, 70))


def walker2d():
    features = [(generator.uniform(0.1, 2), generator.uniform(0, 2 * math.pi)) for _ in range(17)]
    rollouts, rows, kept = [], [], []
    for number in range(12):
        steps = 90 + 10 * number
        rollouts.append((number, steps, sets(12)[number]))
        rows += [[round(2048 * value) for value in row] for row in gait(features, steps)]
        kept += [int(generator.random() < 0.9) for _ in range(steps - 1)] + [0]
    write_rows(out / "walker2d" / "rollouts.npy", "<i2", rows)
    write_list(out / "walker2d" / "kept.npy", "|u1", kept)
    write_csv(out / "walker2d" / "rollouts.csv", "rollout,steps,set", rollouts)


def gesture():
    rows, phases, frames = [], [], (150, 100, 230)
    for t in range(sum(frames)):
        phases.append(t // 7 % 5)
        rows.append([math.cos(2 * math.pi * phases[-1] / 5 + f) + noise(0.2) for f in range(32)])
    write_rows(out / "gesture" / "features.npy", "<f4", rows)
    write_list(out / "gesture" / "phase.npy", "|u1", phases)
    write_csv(out / "gesture" / "recordings.csv", "person,story,frames", [(i, 1, n) for i, n in enumerate(frames)])
    write_list(out / "gesture" / "set.npy", "|u1", sets(sum(2 * (n // 32) - 1 for n in frames)))


def occupancy():
    for name, count in (("training", 150), ("test_1", 60), ("test_2", 70)):
        rows = []
        for t in range(count):
            occupied = t // 11 % 2
            rows.append([20 + occupied + noise(0.3), 30 + noise(2), 450 * occupied + noise(30), 500 + 200 * occupied,
                         0.004 + noise(1e-4), occupied])
        write_rows(out / "occupancy" / f"{name}.npy", "<f4", rows)
    write_list(out / "occupancy" / "set.npy", "|u1", [int(i % 10 == 0) for i in range(150 - 16)])


def traffic():
    rows, count = [], 400
    for hour in range(count):
        volume = round(3000 - 2500 * math.cos(2 * math.pi * hour / 24) + noise(100))
        rows.append((hour, hour // 24 % 7, hour % 24, 0, round(280 + noise(5), 2), 0, 0, 40, volume))
    write_csv(out / "traffic" / "traffic.csv",
              "hours,weekday,hour,holiday,temperature,rain,snow,clouds,volume", rows)
    write_list(out / "traffic" / "set.npy", "|u1", sets((count - 32 + 3) // 4))
    write_list(out / "traffic" / "set_as_published.npy", "|u1", [0] * 25 + [1] * 3 + [2] * 4)


def ozone():
    rows, days, count = [], [], 300
    for day in range(count):
        days.append(int(day % 9 < 2))
        rows.append([5000 * days[-1] * (f < 6) + noise(100) if generator.random() < 0.95 else math.nan
                     for f in range(72)])
    write_rows(out / "ozone" / "features.npy", "<f4", rows)
    write_list(out / "ozone" / "ozone_day.npy", "|u1", days)
    write_list(out / "ozone" / "set.npy", "|u1", sets((count - 32 + 3) // 4))
    write_list(out / "ozone" / "set_as_published.npy", "|u1", [0] * 25 + [1] * 3 + [2] * 4)


def smnist():
    for name, count in (("training", 200), ("test", 60)):
        data, labels = [], []
        for _ in range(count):
            digit = generator.randrange(10)
            labels.append(digit)
            # A bar whose place and height say the digit.
            for row in range(28):
                if not 4 <= row < 6 + 2 * (digit % 5):
                    data.append(0)
                    continue
                data += [6, 2 + 14 * (digit // 5)] + [generator.randrange(150, 256) for _ in range(6)]
        write_list(out / "smnist" / f"{name}_rows.npy", "|u1", data)
        write_list(out / "smnist" / f"{name}_labels.npy", "|u1", labels)


def xor():
    for name, count in (("training", 3000), ("test", 50)):
        streams = []
        for _ in range(count):
            length = generator.randrange(2, 6)
            streams.append(1 << length | generator.getrandbits(length))
        write_list(out / "xor" / f"{name}.npy", "<u4", streams)


for make in (half_cheetah, walker2d, gesture, occupancy, traffic, ozone, smnist, xor):
    make()
