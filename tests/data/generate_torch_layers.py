#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Takes golden values of LSTM, GRU and LayerNorm from PyTorch, in double precision.

    python3 generate_torch_layers.py > torch_layers.json

Made with PyTorch 1.13. Every list is in PyTorch's order, row by row; sequences are (time, batch, features). A second run
gives the same file.
"""
import json
import sys

import torch
from torch import nn


def flat(tensor):
    return [float(value) for value in tensor.detach().reshape(-1)]


def case(kind, features, units, make, time=4, batch=3, seed=5):
    """Forward, and back from sum(cotangent * output)."""
    result = {"kind": kind, "inputs": features, "units": units, "time": time, "batch": batch, "seed": seed}
    for name, scalar in (("float", torch.float32), ("double", torch.float64)):
        torch.set_default_dtype(scalar)
        torch.manual_seed(seed)
        layer = make()
        result["initial_" + name] = {key: flat(p) for key, p in layer.named_parameters()}
    generator = torch.Generator().manual_seed(seed + 1)
    uniform = lambda *shape: 2 * torch.rand(*shape, generator=generator) - 1
    if kind == "LayerNorm":  # away from 1 and 0
        with torch.no_grad():
            for p in layer.parameters():
                p.copy_(uniform(*p.shape))
        result["parameters"] = {key: flat(p) for key, p in layer.named_parameters()}
    x = uniform(time, batch, features).requires_grad_()
    initial = []
    if kind == "LayerNorm":
        y, final = layer(x), []
    else:
        initial = [uniform(1, batch, units).requires_grad_() for _ in range(2 if kind == "LSTM" else 1)]
        y, last = layer(x, tuple(initial) if kind == "LSTM" else initial[0])
        final = list(last) if kind == "LSTM" else [last]
    cotangent = uniform(*y.shape)
    (cotangent * y).sum().backward()
    side_by_side = lambda parts: flat(torch.cat([p[0] for p in parts], 1)) if parts else []
    result.update(
        x=flat(x), initial_state=side_by_side(initial), y=flat(y), final_state=side_by_side(final),
        cotangent=flat(cotangent), gradients={key: flat(p.grad) for key, p in layer.named_parameters()}, d_x=flat(x.grad),
        d_initial_state=side_by_side([p.grad for p in initial]))
    return result


cases = []
for features, units in ((3, 5), (2, 9)):
    cases.append(case("LSTM", features, units, lambda: nn.LSTM(features, units)))
    cases.append(case("GRU", features, units, lambda: nn.GRU(features, units)))
for features in (1, 5, 19):
    cases.append(case("LayerNorm", features, features, lambda: nn.LayerNorm(features)))
json.dump(cases, sys.stdout, separators=(",", ":"))
print()
