#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""generate_paper_cells.py >paper_cells.json

The cells that the code of two papers has, in NumPy and double, from their equations. They differ from those of ncps:

- a CfC's heads are lecun_tanh, and its gate is sigmoid(-a t + b)
- a mixed memory's forget gate is sigmoid(fg + bias + forget_bias), with a forget bias other than 1
- an LTC of the paper on CfC adds a constant to its elapsed times
- an LTC of the paper on LTC divides by no elapsed time: cm_t takes the place of cm / (elapsed / sub-steps)

raminmh/CfC, tf_cfc.py; raminmh/liquid_time_constant_networks, ltc_model.py. Each case has small random weights, inputs
of shape (time, batch, inputs), elapsed times (time, batch), and the outputs of all steps, (time, batch, units). The
derivatives of the sum of the outputs' squares by some of the weights are central differences. Written with NumPy 1.24.
"""
import json
import sys

import numpy as np

TIME, BATCH, INPUTS, UNITS, BACKBONE = 5, 3, 2, 4, 6
random = np.random.RandomState(2022)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lecun_tanh(x):
    return 1.7159 * np.tanh(0.666 * x)


def silu(x):
    return x * sigmoid(x)


def weights(shapes):
    return {name: random.uniform(-0.7, 0.7, shape) for name, shape in shapes.items()}


def linear(w, name, x):
    return x @ w[name + ".weight"].T + w[name + ".bias"]


def add_linear(shapes, name, outputs, inputs):
    shapes[name + ".weight"] = (outputs, inputs)
    shapes[name + ".bias"] = (outputs,)


def cfc_shapes(layers, mode):
    shapes = {}
    features = INPUTS + UNITS
    for layer in range(layers):
        add_linear(shapes, f"backbone.{2 * layer}", BACKBONE, features)
        features = BACKBONE
    heads = ["ff1"] if mode == "pure" else ["ff1", "ff2", "time_a", "time_b"]
    for head in heads:
        add_linear(shapes, head, UNITS, features)
    if mode == "pure":
        shapes["w_tau"] = shapes["A"] = (1, UNITS)
    return shapes


def cfc_step(w, case, x, h, t):
    x = np.concatenate([x, h], 1)
    for layer in range(case["layers"]):
        x = {"silu": silu, "lecun_tanh": lecun_tanh}[case["activation"]](linear(w, f"backbone.{2 * layer}", x))
    t = t[:, None]
    ff1 = linear(w, "ff1", x)
    if case["mode"] == "pure":
        return -w["A"] * np.exp(-t * (np.abs(w["w_tau"]) + np.abs(ff1))) * ff1 + w["A"]
    ff1, ff2 = lecun_tanh(ff1), lecun_tanh(linear(w, "ff2", x))
    gate = sigmoid(-linear(w, "time_a", x) * t + linear(w, "time_b", x))
    return ff1 + gate * ff2 if case["mode"] == "no_gate" else ff1 * (1 - gate) + gate * ff2


def run_cfc(w, case, x, t):
    h, c, outputs = np.zeros((BATCH, UNITS)), np.zeros((BATCH, UNITS)), []
    for step in range(TIME):
        if case["forget_bias"] is not None:
            z = x[step] @ w["lstm.input_map.weight"].T + w["lstm.input_map.bias"] + h @ w["lstm.recurrent_map.weight"].T
            i, ig, fg, og = np.split(z, 4, 1)
            c = c * sigmoid(fg + case["forget_bias"]) + np.tanh(i) * sigmoid(ig)
            h = np.tanh(c) * sigmoid(og)
        h = cfc_step(w, case, x[step], h, t[step])
        outputs.append(h)
    return np.array(outputs)


def run_ltc(w, case, x, t):
    v, outputs = np.zeros((BATCH, UNITS)), []
    for step in range(TIME):
        u = x[step] * w["input_w"] + w["input_b"]
        g = w["sensory_w"] * sigmoid(w["sensory_sigma"] * (u[:, :, None] - w["sensory_mu"]))
        n_s, d_s = (g * w["sensory_erev"]).sum(1), g.sum(1)
        for _ in range(case["unfolds"]):
            g = w["w"] * sigmoid(w["sigma"] * (v[:, :, None] - w["mu"]))
            cm_t = w["cm"]
            if case["plus"] is not None:
                cm_t = w["cm"] / ((t[step][:, None] + case["plus"]) / case["unfolds"])
            v = (cm_t * v + w["gleak"] * w["vleak"] + n_s + (g * w["erev"]).sum(1)) / (
                cm_t + w["gleak"] + d_s + g.sum(1))
        outputs.append(v)
    return np.array(outputs)


def ltc_weights():
    w = {}
    for prefix, sources in (("", UNITS), ("sensory_", INPUTS)):
        w[prefix + "w"] = random.uniform(0.01, 1, (sources, UNITS))
        w[prefix + "sigma"] = random.uniform(3, 8, (sources, UNITS))
        w[prefix + "mu"] = random.uniform(0.3, 0.8, (sources, UNITS))
        w[prefix + "erev"] = random.choice([-1.0, 1.0], (sources, UNITS))
    w["gleak"], w["cm"] = random.uniform(0.5, 1, UNITS), random.uniform(0.4, 0.6, UNITS)
    w["vleak"] = random.uniform(-0.2, 0.2, UNITS)
    w["input_w"], w["input_b"] = random.uniform(0.5, 1, INPUTS), random.uniform(-0.5, 0.5, INPUTS)
    return w


def listed(array):
    return np.asarray(array).round(17).tolist()


cases = []
for name, layers, mode, activation, forget_bias in (("cfc", 1, "default", "silu", None),
                                                    ("mixed_cfc", 2, "default", "lecun_tanh", 2.1),
                                                    ("mixed_cfc_of_xor", 1, "default", "silu", 0.6),
                                                    ("cfc_no_gate", 1, "no_gate", "lecun_tanh", None),
                                                    ("cfc_pure", 1, "pure", "silu", None)):
    shapes = cfc_shapes(layers, mode)
    if forget_bias is not None:
        shapes["lstm.input_map.weight"] = (4 * UNITS, INPUTS)
        shapes["lstm.input_map.bias"] = (4 * UNITS,)
        shapes["lstm.recurrent_map.weight"] = (4 * UNITS, UNITS)
    cases.append(({"name": name, "layers": layers, "mode": mode, "activation": activation, "forget_bias": forget_bias},
                  weights(shapes), run_cfc))
for name, unfolds, plus in (("ltc_of_walker", 3, 0.001), ("ltc_without_time", 6, None)):
    cases.append(({"name": name, "unfolds": unfolds, "plus": plus}, ltc_weights(), run_ltc))

golden = []
for case, w, run in cases:
    x = random.uniform(-1, 1, (TIME, BATCH, INPUTS))
    t = random.uniform(0.1, 2, (TIME, BATCH))
    slopes = {}
    for tensor, values in w.items():
        values = values.reshape(-1)  # a view
        at = len(values) // 2
        around = []
        for sign in (1, -1):
            values[at] += sign * 1e-5
            around.append((run(w, case, x, t) ** 2).sum())
            values[at] -= sign * 1e-5
        slopes[tensor] = [at, (around[0] - around[1]) / 2e-5]
    golden.append({**case, "weights": {k: listed(v) for k, v in w.items()}, "x": listed(x), "elapsed": listed(t),
                   "y": listed(run(w, case, x, t)), "slopes": slopes})
json.dump(golden, sys.stdout, separators=(",", ":"))
sys.stdout.write("\n")
