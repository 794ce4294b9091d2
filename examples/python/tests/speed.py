#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Measures elegans.torch and elegans.fit against ncps on PyTorch, one thread each, in one run.

    python examples/python/tests/speed.py

A step is a forward pass, the mean squared error, a backward pass and Adam. Times are those of the processor, medians of
several rounds, in microseconds. Needs torch and ncps.
"""
import statistics
import time

import ncps.torch
import ncps.wirings
import numpy as np
import torch

import elegans
import elegans.torch


def median(call, seconds):
    """The median time of a call, over so many seconds."""
    call()
    times, end = [], time.monotonic() + seconds
    while time.monotonic() < end or len(times) < 3:
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return 1e6 * statistics.median(times)


def step_of(module, x, y):
    optimizer = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], lr=0.01)

    def step():
        optimizer.zero_grad()
        (module(x)[0] - y).pow(2).mean().backward()
        optimizer.step()

    return step


def passes_of(module, x, y):
    def passes():
        module.zero_grad()
        (module(x)[0] - y).pow(2).mean().backward()

    return passes


def fit_of(model, x, y, epochs=20):
    def fit():
        elegans.fit(model, x, y, epochs=epochs, learning_rate=0.01, show_progress=False)

    return fit, epochs


CASES = [
    ("LTC, AutoNCP(8, 1), batch 1, 48 steps", "LTC", 2, lambda w: w.AutoNCP(8, 1), 1, 48),
    ("LTC, FullyConnected(8, 1), batch 1, 48 steps", "LTC", 2, lambda w: w.FullyConnected(8, 1), 1, 48),
    ("LTC, AutoNCP(64, 8), batch 32, 32 steps", "LTC", 20, lambda w: w.AutoNCP(64, 8), 32, 32),
    ("CfC, 32 neurons, batch 16, 32 steps", "CfC", 4, lambda w: 32, 16, 32),
]


def main():
    torch.set_num_threads(1)
    print(f"elegans {elegans.build}, torch {torch.__version__}")
    print("| model | ncps, passes | elegans.torch | times | ncps, step | elegans.torch | times | elegans.fit | times |")
    print("| --- |" + " ---: |" * 8)
    for name, kind, inputs, units, batch, steps in CASES:
        theirs = getattr(ncps.torch, kind)(inputs, units(ncps.wirings))
        ours = getattr(elegans.torch, kind)(inputs, units(elegans.wirings))
        x = torch.randn(batch, steps, inputs)
        y = torch.zeros_like(ours(x)[0])
        slow, fast = median(passes_of(theirs, x, y), 2), median(passes_of(ours, x, y), 1)
        slow_step, fast_step = median(step_of(theirs, x, y), 2), median(step_of(ours, x, y), 1)
        model = getattr(elegans, kind)(units(elegans.wirings), inputs)
        fit, epochs = fit_of(model, x.numpy().astype(np.float32), y.numpy())
        fitted = median(fit, 1) / epochs
        print(f"| {name} | {slow:.0f} | {fast:.0f} | {slow / fast:.0f} | {slow_step:.0f} | {fast_step:.0f} | "
              f"{slow_step / fast_step:.0f} | {fitted:.0f} | {slow_step / fitted:.0f} |")


if __name__ == "__main__":
    main()
