#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the fuzzer: a small model of each kind, as it may come from ncps, and files of odd tensors.

    make_corpus.py FOLDER

Needs nothing but Python. The values do not matter, the names and shapes do.
"""
import json
import os
import struct
import sys

SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "U8": 1, "BOOL": 1, "U32": 4, "C64": 8, "F8_E4M3": 1}


def write(folder, name, tensors, metadata=None, extra=None):
    header, data = {}, b""
    if metadata or extra:
        header["__metadata__"] = metadata
    for key, (dtype, shape, value) in tensors.items():
        count = 1
        for size in shape:
            count *= size
        chunk = {"F64": struct.pack("<d", value), "F32": struct.pack("<f", value), "F16": struct.pack("<e", value),
                 "I64": struct.pack("<q", int(value))}.get(dtype, bytes([int(value) % 256]) * SIZES[dtype]) * count
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(chunk)]}
        header[key] |= extra or {}
        data += chunk
    text = json.dumps(header, separators=(",", ":")).encode()
    with open(os.path.join(folder, name), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def ltc(units, inputs, outputs, dtype="F32", prefix="rnn_cell."):
    tensors = {}
    for name in ("gleak", "vleak", "cm"):
        tensors[prefix + name] = (dtype, [units], 0.5)
    for name in ("sigma", "mu", "w", "erev", "sparsity_mask"):
        tensors[prefix + name] = (dtype, [units, units], 1)
        tensors[prefix + "sensory_" + name] = (dtype, [inputs, units], 1)
    for name, size in (("input_w", inputs), ("input_b", inputs), ("output_w", outputs), ("output_b", outputs)):
        tensors[prefix + name] = (dtype, [size], 1)
    return tensors


def linear(name, rows, columns):
    return {name + ".weight": ("F32", [rows, columns], 0.5), name + ".bias": ("F32", [rows], 0.5)}


def cfc(units, inputs, layers, backbone, pure, prefix="rnn_cell.", mask=False):
    tensors, features = {}, units + inputs
    for layer in range(layers):
        tensors |= linear(f"{prefix}backbone.{2 * layer}", backbone, features)
        features = backbone
    for head in ("ff1",) if pure else ("ff1", "ff2", "time_a", "time_b"):
        tensors |= linear(prefix + head, units, features)
    if pure:
        tensors |= {prefix + "w_tau": ("F32", [1, units], 0.5), prefix + "A": ("F32", [1, units], 0.5)}
    if mask:
        tensors[prefix + "sparsity_mask"] = ("F32", [units, features], 1)
    return tensors


def gated(prefix, gates, units, inputs):
    """The tensors of nn.LSTM or nn.GRU."""
    rows = gates * units
    return {f"{prefix}.weight_ih_l0": ("F32", [rows, inputs], 0.5), f"{prefix}.weight_hh_l0": ("F32", [rows, units], 0.5),
            f"{prefix}.bias_ih_l0": ("F32", [rows], 0.5), f"{prefix}.bias_hh_l0": ("F32", [rows], 0.5)}


def layer_norm(name, features):
    return {name + ".weight": ("F32", [features], 1), name + ".bias": ("F32", [features], 0)}


def lstm(units, inputs):
    maps = linear("lstm.input_map", 4 * units, inputs) | linear("lstm.recurrent_map", 4 * units, units)
    del maps["lstm.recurrent_map.bias"]
    return maps


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    ours = {"elegans": json.dumps({"version": 1, "model": "LTC", "ode_unfolds": 2, "epsilon": 0.1, "output_dim": 1,
                                   "implicit_param_constraints": False, "solver": "runge_kutta", "polarity": "+-+-",
                                   "neuron_types": ["motor", "inter"], "layers": [1, 0]})}
    write(folder, "ltc", ltc(2, 1, 1), ours)
    write(folder, "ltc_f16", ltc(2, 2, 1, "F16", "0."))
    write(folder, "ltc_mixed", ltc(2, 1, 2) | lstm(2, 1))
    write(folder, "cfc", cfc(2, 1, 3, 2, False) | linear("fc", 1, 2))
    write(folder, "cfc_pure", cfc(2, 1, 0, 0, True, "a.rnn_cell."))
    write(folder, "cfc_wired", cfc(2, 1, 0, 0, False, "rnn_cell.layer_0.", True)
          | cfc(1, 2, 0, 0, False, "rnn_cell.layer_1.", True) | lstm(3, 1))
    write(folder, "stack_torch", linear("0", 3, 2) | ltc(2, 3, 2, prefix="1.rnn_cell.") | linear("2", 1, 2))
    lstm_in_front = {"1.forward_layer." + name: value for name, value in (ltc(2, 1, 2) | lstm(2, 1)).items()}
    about = {"version": 1, "model": "Sequential", "return_sequences": False, "stack": [
        {"model": "Dense", "activation": "tanh"},
        {"model": "Bidirectional", "stack": [{"model": "MixedLTC", "ode_unfolds": 1, "return_sequences": False},
                                             {"model": "CfC", "mode": "no_gate", "return_sequences": False}]},
        {"model": "Sequential", "stack": [{"model": "Dense"}, None]}]}
    write(folder, "stack", linear("0", 1, 2) | lstm_in_front
          | cfc(2, 1, 1, 2, False, "1.backward_layer.rnn_cell.") | linear("2.0", 2, 4) | linear("2.1", 1, 2),
          {"elegans": json.dumps(about)})
    write(folder, "stack_both", linear("net.forward_layer", 1, 2) | linear("net.backward_layer", 2, 2))
    write(folder, "stack_gated", gated("0.lstm", 4, 2, 1) | layer_norm("1", 2) | gated("2", 3, 1, 2) | linear("3", 1, 1))
    about = {"version": 1, "model": "Sequential", "stack": [
        {"model": "GRU"}, {"model": "Dropout", "features": 2, "share": 0.25, "seed": 3},
        {"model": "Bidirectional", "stack": [{"model": "LSTM", "return_sequences": False},
                                             {"model": "LSTM", "return_sequences": False}]},
        {"model": "LayerNorm", "epsilon": 0.1}]}
    write(folder, "stack_dropout", gated("0", 3, 2, 1) | gated("2.forward_layer", 4, 1, 2)
          | gated("2.backward_layer", 4, 2, 2) | layer_norm("3", 3), {"elegans": json.dumps(about)})
    write(folder, "odd", {"empty": ("F64", [0, 3], 0), "scalar": ("I64", [], -1), "bits": ("BOOL", [3], 1),
                          "half": ("BF16", [2], 1), "Größe\n": ("U8", [1], 7)}, {"format": "pt", "ß": "\"\\"})
    write(folder, "others", {"u": ("U32", [2], 1), "c": ("C64", [1], 1), "f": ("F8_E4M3", [3], 1)} | ltc(1, 1, 1),
          extra={"note": [1, -2.5e3, None, True, {"deep": ["text", {}]}]})


if __name__ == "__main__":
    main()
