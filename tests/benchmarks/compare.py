#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""elegans beside ncps on PyTorch: one table, medians of interleaved runs on one thread.

    apt-get install python3-torch python3-venv
    python3 -m venv --system-site-packages venv && venv/bin/pip install --no-deps ncps future
    cmake --preset native && cmake --build build/native --target elegans_bench
    venv/bin/python tests/benchmarks/compare.py build/native/tests/benchmarks/elegans_bench [--rounds N]

Each round times every case once in each program; `bound` is what Eigen takes for the sigmoids of the forward pass,
measured between the steps, and a multiple is a case's median over it. On a machine that does other work besides,
--fastest takes the shortest time of each instead of the median, of both programs.
"""
import argparse
import json
import os
import statistics
import subprocess
import time

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import ncps.torch  # noqa: E402
import ncps.wirings  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(1)


def auto_ncp(units, outputs):
    return ncps.wirings.AutoNCP(units, outputs)


def full(units, outputs):
    return ncps.wirings.FullyConnected(units, outputs)


# name in the table, rows of elegans_bench, kind of model, wiring, inputs, steps, batch, the goal for ncps / elegans
TRAINING = [
    ("FullyConnected(8, 1), fixed size", "fully_connected_8_fixed", "LTC", full(8, 1), 2, 48, 1, 1500),
    ("FullyConnected(8, 1), dynamic size", "fully_connected_8_dynamic", "LTC", full(8, 1), 2, 48, 1, 1200),
    ("AutoNCP(8, 1), fixed size", "auto_ncp_8_fixed", "LTC", auto_ncp(8, 1), 2, 48, 1, 2500),
    ("AutoNCP(8, 1), dynamic size", "auto_ncp_8_dynamic", "LTC", auto_ncp(8, 1), 2, 48, 1, 2500),
    ("FullyConnected(32), batch 16", "fully_connected_32_batch_16", "LTC", full(32, 32), 17, 32, 16, 25),
    ("FullyConnected(64, 8), batch 32", "fully_connected_64_batch_32", "LTC", full(64, 8), 20, 48, 32, 12),
    ("AutoNCP(64, 8), batch 32", "auto_ncp_64_batch_32", "LTC", auto_ncp(64, 8), 20, 48, 32, 70),
    ("AutoNCP(64, 8), batch 1", "auto_ncp_64_batch_1", "LTC", auto_ncp(64, 8), 20, 48, 1, 300),
    ("wired CfC AutoNCP(64, 8), batch 32", "wired_auto_ncp_64_batch_32", "CfC", auto_ncp(64, 8), 20, 48, 32, 40),
]
STREAMS = [
    ("FullyConnected(8, 1), fixed size", "fully_connected_8_fixed", full(8, 1), 0.35),
    ("AutoNCP(8, 1), fixed size", "auto_ncp_8_fixed", auto_ncp(8, 1), 0.2),
]


def torch_training(kind, wiring, inputs, steps, batch, statistic):
    """Seconds of a training step, of a few."""
    torch.manual_seed(1)
    model = getattr(ncps.torch, kind)(inputs, wiring)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    x = torch.randn(batch, steps, inputs)
    y = torch.zeros(batch, steps, wiring.output_dim)
    times = []
    for repeat in range(4):
        start = time.perf_counter()
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(model(x)[0], y).backward()
        optimizer.step()
        if repeat > 0:  # the first one warms up
            times.append(time.perf_counter() - start)
    return statistic(times)


def torch_stream(wiring, statistic):
    model = ncps.torch.LTC(2, wiring)
    x = torch.zeros(1, 1, 2)
    state = torch.zeros(1, wiring.units)
    times = []
    with torch.no_grad():
        for _ in range(60):
            start = time.perf_counter()
            state = model(x, state)[1]
            times.append(time.perf_counter() - start)
    return statistic(times)


def bench(program, name, seconds):
    """Counters of one row of elegans_bench."""
    result = subprocess.run(
        [program, f"--benchmark_filter=^{name}/manual_time$", f"--benchmark_min_time={seconds}",
         "--benchmark_format=json"],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return json.loads(result.stdout)["benchmarks"][0]


def time_of(seconds):
    for unit, scale in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="elegans_bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="for each row in each round")
    parser.add_argument("--fastest", action="store_true")
    options = parser.parse_args()
    statistic = min if options.fastest else statistics.median
    time_key, multiple_key = ("fastest", "best") if options.fastest else ("median", "multiple")

    samples = {}

    def note(key, value):
        if value is not None:
            samples.setdefault(key, []).append(value)

    for _ in range(options.rounds):
        for _, name, kind, wiring, inputs, steps, batch, _ in TRAINING:
            note((name, "torch"), torch_training(kind, wiring, inputs, steps, batch, statistic))
            for phase in ("forward", "training"):
                row = bench(options.program, f"{phase}/{name}", options.seconds)
                note((name, phase), row[time_key])
                note((name, phase, "multiple"), row.get(multiple_key))
                note((name, phase, "peak"), row.get("peak_bytes"))
        for _, name, wiring, _ in STREAMS:
            note((name, "stream torch"), torch_stream(wiring, statistic))
            row = bench(options.program, f"stream/{name}", options.seconds)
            note((name, "stream"), row[time_key])
            note((name, "p999"), row["p999"])

    def value_of(*key):
        return statistic(samples[key]) if key in samples else None

    def multiple(value):
        return "" if value is None else f"{value:.2f}"

    print("| training step | forward / bound | training / bound | forward | training | ncps | ncps / elegans | goal | peak |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for title, name, _, _, _, _, _, goal in TRAINING:
        ours, theirs = value_of(name, "training"), value_of(name, "torch")
        print(f"| {title} | {multiple(value_of(name, 'forward', 'multiple'))} | "
              f"{multiple(value_of(name, 'training', 'multiple'))} | {time_of(value_of(name, 'forward'))} | {time_of(ours)} | "
              f"{time_of(theirs)} | {theirs / ours:.0f} | {goal} | {value_of(name, 'training', 'peak') / 1024:.0f} KiB |")
    print()
    print("| step of a stream | elegans | goal | 99.9th percentile / median | ncps | ncps / elegans |")
    print("| --- | --- | --- | --- | --- | --- |")
    for title, name, _, goal in STREAMS:
        ours, theirs = value_of(name, "stream"), value_of(name, "stream torch")
        print(f"| {title} | {time_of(ours)} | {goal} µs | {value_of(name, 'p999'):.2f} | {time_of(theirs)} | "
              f"{theirs / ours:.0f} |")


if __name__ == "__main__":
    main()
