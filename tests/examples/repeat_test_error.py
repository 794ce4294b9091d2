#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a trained model by run_model over a task's test data, and prints the score that the task's program printed.

    repeat_test_error.py half_cheetah RUN_MODEL MODEL WINDOW STRIDE RECORDING.npy...    mean squared error
    repeat_test_error.py xor RUN_MODEL MODEL FOLDER COUNT                               accuracy
"""
import os
import re
import struct
import subprocess
import sys
import tempfile


def run(program, model, x, timespans=()):
    result = subprocess.run([program, model, "--input", x, "--precision", "float", *timespans], check=True,
                            capture_output=True, text=True)
    return [[float(value) for value in line.split(",")] for line in result.stdout.splitlines()]


def read_npy(path):
    with open(path, "rb") as file:
        data = file.read()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    rows, columns = map(int, re.search(rb"\((\d+), (\d+)\)", data[:start]).groups())
    values = struct.unpack(f"<{rows * columns}d", data[start:])
    return [values[columns * r:columns * (r + 1)] for r in range(rows)]


def half_cheetah(program, model, window, stride, *recordings):
    window, stride, errors = int(window), int(stride), []
    for rows in map(read_npy, recordings):
        with tempfile.TemporaryDirectory() as folder:
            for start in range(0, len(rows) - window - 1, stride):
                path = os.path.join(folder, "x.csv")
                with open(path, "w") as file:
                    file.writelines(",".join(map(repr, row)) + "\n" for row in rows[start:start + window])
                outputs = run(program, model, path)
                assert len(outputs) == window
                errors += [(y - t) ** 2 for output, target in zip(outputs, rows[start + 1:])
                           for y, t in zip(output, target)]
    return sum(errors) / len(errors)


def xor(program, model, folder, count):
    with open(os.path.join(folder, "test_y.csv")) as file:
        parities = [float(line) for line in file]
    assert len(parities) == int(count)
    right = 0
    for k, parity in enumerate(parities):
        outputs = run(program, model, os.path.join(folder, f"test_{k}_x.csv"),
                      ("--timespans", os.path.join(folder, f"test_{k}_t.csv")))
        right += (outputs[-1][0] > 0) == (parity > 0.5)
    return right / len(parities)


def main():
    task, program, model, *arguments = sys.argv[1:]
    print({"half_cheetah": half_cheetah, "xor": xor}[task](program, model, *arguments))


if __name__ == "__main__":
    main()
