# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
#
# compare.py DEVICE REFERENCE [SCALE]: prints stack bytes, instructions per step and the largest error of an output.
# DEVICE is what measure.c prints, REFERENCE the CSV of run_model. Outputs are floats, or, with a scale, whole numbers.
import struct
import sys

lines = open(sys.argv[1]).read().split("\n")
stack, instructions, refused = (int(word, 16) for word in lines[0].split()[1:])
if refused:
    sys.exit("the network refuses a step")
if "self-test passed" not in lines and "self-test failed" in lines:
    sys.exit("the self-test fails")
scale = float(sys.argv[3]) if len(sys.argv) > 3 else 0


def value(word):
    if scale:
        bits = int(word, 16)
        return (bits - 2**32 if bits >= 2**31 else bits) * scale
    return struct.unpack(">f", bytes.fromhex(word))[0]


rows = [[value(word) for word in line.split()] for line in lines[1:] if line and "self" not in line]
wanted = [[float(word) for word in line.split(",")] for line in open(sys.argv[2])]
if [len(row) for row in rows] != [len(row) for row in wanted]:
    sys.exit(f"{len(rows)} rows of outputs, not {len(wanted)}")
error = max(abs(a - b) for row, other in zip(rows, wanted) for a, b in zip(row, other))
print(stack, instructions, f"{error:.3g}")
