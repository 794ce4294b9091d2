#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""The Python package safetensors on one side, our reader on the other.

    safetensors_test.py BUILD [--files N] [--seed S]        BUILD has tests/elegans_interop_read

Mutates files, byte by byte and token by token. What one side takes, the other must take, with the same tensors and the
same metadata. Two oddities of the package's JSON library are left out: it also takes ["F32", [1], [0, 4]] for a tensor,
and {"F32": null} for a type.

Needs safetensors and numpy; tests/interop/run sets them up.
"""
import argparse
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

from safetensors import deserialize, safe_open

TYPES = {"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
         "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64,
         "U64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6}
NAMES = ["w", "rnn_cell.gleak", "a b", "", "\u03b2", "x\"y", "\u0000", "__metadata", "layer_0.ff1.weight"]
TOKENS = ["{", "}", "[", "]", ",", ":", "null", "true", "false", "0", "-0", "1", "-1", "1.0", "1e2", "01", "4294967296",
          "18446744073709551615", "18446744073709551616", "99999999999999999999999", "1e400", "0.5", '""', '"F32"',
          '"Q4"', '"f32"', '"dtype"', '"shape"', '"data_offsets"', '"__metadata__"', '"k":"v"', '"x":[1,{"y":null}],',
          '"dtype":"F32",', '"x":"z",', '"__metadata__":null,', '"__metadata__":{},', '"__metadata__":{"k":"v"},', "{}",
          "[]", " ", "\t", "\r\n", "\x00", "\x0b", "\u00a0", "\ufeff", "//c\n", "/*c*/", "\\u0041", "\\ud800",
          "\\ud83d\\ude00", "'", "NaN", "Infinity", "[" * 124, "[" * 130, "]" * 125]


def make_file(rng):
    """A file that both sides take: its header as text, and its data."""
    header, data = {}, b""
    if rng.random() < 0.5:
        header["__metadata__"] = rng.choice([None, {}, {"format": "pt"}, {"a": "1", "b": "\u00e9\n"}])
    for name in rng.sample(NAMES, rng.randrange(4)):
        kind = rng.choice(list(TYPES))
        shape = [rng.randrange(4) for _ in range(rng.randrange(4))]
        values = 1
        for extent in shape:
            values *= extent
        if values * TYPES[kind] % 8:
            shape, values = shape + [4], values * 4
        size = values * TYPES[kind] // 8
        entry = [("dtype", kind), ("shape", shape), ("data_offsets", [len(data), len(data) + size])]
        if rng.random() < 0.3:
            entry.append(("extra", rng.choice([None, 1, "x", [1, {"y": []}], {"z": -1.5}])))
        rng.shuffle(entry)
        header[name] = dict(entry)
        data += rng.randbytes(size)
    items = list(header.items())
    rng.shuffle(items)
    text = json.dumps(dict(items), ensure_ascii=rng.random() < 0.5, separators=rng.choice([(",", ":"), (", ", ": ")]))
    return text, data


def mutate(rng):
    text, data = make_file(rng)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        i, j = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        kind = rng.randrange(5)
        if kind == 0:
            text = text[:i] + rng.choice(TOKENS) + text[i:]
        elif kind == 1:  # in place of another token
            ends = [k for k, c in enumerate(text) if c in "{}[],:"]
            if ends:
                i = rng.choice(ends)
                j = next((k for k in ends if k > i), len(text))
                text = text[:i + 1] + rng.choice(TOKENS) + text[j:]
        elif kind == 2:  # a number that is another
            digits = [k for k, c in enumerate(text) if c.isdigit()]
            if digits:
                i = rng.choice(digits)
                text = text[:i] + rng.choice("0123456789") + text[i + 1:]
        elif kind == 3:  # an entry twice, maybe changed later
            end = text.find("}}")
            start = text.find('"')
            if 0 <= start < end:
                text = text[:start] + text[start:end + 1] + "," + text[start:]
        else:
            text = text[:i] + text[min(j, i + 3):]
    header = bytearray(text.encode("utf-8", "surrogatepass"))
    if rng.random() < 0.3:
        for _ in range(rng.randrange(1, 3)):
            if header:
                header[rng.randrange(len(header))] = rng.randrange(256)
    if rng.random() < 0.2:
        header = rng.choice([b" ", b"\n", b"\t\r", b""]) + header + rng.choice([b" ", b"    ", b"\0", b"\n", b"x"])
    size = len(header)
    if rng.random() < 0.05:
        size = max(0, rng.choice([0, 1, size - 1, size + 1, size + len(data), 100_000_001, 2**63, 2**64 - 1]))
    if rng.random() < 0.1:
        data = data[:-1] if rng.random() < 0.5 else data + b"\0"
    file = struct.pack("<Q", size) + bytes(header) + data
    if rng.random() < 0.03:
        file = file[:rng.randrange(len(file) + 1)]
    return file


def theirs(file, path):
    try:
        tensors = deserialize(file)
    except Exception:
        return None
    with open(path, "wb") as out:
        out.write(file)
    with safe_open(path, "np") as opened:
        metadata = opened.metadata()
    return {"metadata": metadata or {},
            "tensors": {name: [t["dtype"], t["shape"], bytes(t["data"]).hex()] for name, t in tensors}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--files", type=int, default=40000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    files = [mutate(rng) for _ in range(args.files)]
    answer = subprocess.run([os.path.join(args.build, "tests", "elegans_interop_read")], check=True,
                            input=b"".join(struct.pack("<Q", len(f)) + f for f in files), stdout=subprocess.PIPE)
    lines = answer.stdout.splitlines()
    failures = taken = 0
    if len(lines) != len(files):
        print("FAILED:", len(lines), "answers for", len(files), "files")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        for file, line in zip(files, lines):
            ours, expected = json.loads(line), theirs(file, os.path.join(folder, "file"))
            taken += expected is not None
            if (None if "error" in ours else ours) == expected:
                continue
            failures += 1
            if failures <= 20:
                print("FAILED:", file, "\n  here:", ours, "\n  there:", expected or "refused")
    print(f"{len(files)} safetensors files, {taken} taken, {failures} failures")
    # If all mutated files were accepted, or all refused, the comparison would show nothing.
    return 1 if failures or not len(files) // 10 < taken < len(files) * 9 // 10 else 0


if __name__ == "__main__":
    sys.exit(main())
