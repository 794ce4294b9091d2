#!/usr/bin/env python3
"""Takes wirings from the real ncps that wirings.json does not have: the corners of each class.

    python3 generate_wirings.py --out wirings_extra.json

Needs numpy 1.24 and ncps 1.0.1. Records have the format of wirings.json, see wiring_record in generate.py. The same
versions give the same file.
"""
import argparse
import hashlib
import json

import numpy as np
from ncps import wirings

FULL_BELOW = 60  # synapses; above, the hash alone


def synapses(matrix):
    return [[int(s), int(d), int(matrix[s, d])] for s, d in np.argwhere(matrix)]


def wiring_record(spec):
    arguments = {k: v for k, v in spec.items() if k not in ("kind", "input_dim")}
    w = getattr(wirings, spec["kind"])(**arguments)
    w.build(spec["input_dim"])
    inner, outer = synapses(w.adjacency_matrix), synapses(w.sensory_adjacency_matrix)
    text = "|".join(";".join(",".join(map(str, s)) for s in part) for part in (inner, outer))
    record = {
        "wiring": spec,
        "units": int(w.units),
        "input_dim": int(w.input_dim),
        "output_dim": int(w.output_dim),
        "synapse_count": int(w.synapse_count),
        "sensory_synapse_count": int(w.sensory_synapse_count),
        "neuron_types": [w.get_type_of_neuron(i) for i in range(w.units)],
        "layers": [[int(n) for n in w.get_neurons_of_layer(l)] for l in range(w.num_layers)],
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    if len(inner) + len(outer) < FULL_BELOW:
        record["adjacency"], record["sensory_adjacency"] = inner, outer
    return record


def fully_connected(units, output_dim, input_dim, seed, self_connections=True):
    return {"kind": "FullyConnected", "units": units, "output_dim": output_dim, "erev_init_seed": seed,
            "self_connections": self_connections, "input_dim": input_dim}


def random(units, output_dim, input_dim, sparsity, seed):
    return {"kind": "Random", "units": units, "output_dim": output_dim, "sparsity_level": sparsity,
            "random_seed": seed, "input_dim": input_dim}


def ncp(inter, command, motor, fans, input_dim, seed):
    """fans: sensory fan-out, inter fan-out, recurrent command synapses, motor fan-in."""
    names = ("sensory_fanout", "inter_fanout", "recurrent_command_synapses", "motor_fanin")
    return {"kind": "NCP", "inter_neurons": inter, "command_neurons": command, "motor_neurons": motor,
            **dict(zip(names, fans)), "seed": seed, "input_dim": input_dim}


def auto_ncp(units, output_size, input_dim, sparsity, seed):
    return {"kind": "AutoNCP", "units": units, "output_size": output_size, "sparsity_level": sparsity, "seed": seed,
            "input_dim": input_dim}


def forgotten_command(inter, command, inter_fanout, input_dim, how_many):
    """Seeds for which a command neuron is forgotten where the two limits on its inter neurons differ.

    Such a neuron is given clip(inter * inter_fanout / command, 1, command) inter neurons; a limit of `inter`, which
    would be expected, gives more.
    """
    assert inter * inter_fanout // command > command
    found, seed = [], 0
    while len(found) < how_many:
        spec = ncp(inter, command, 1, (1, inter_fanout, 0, command), input_dim, seed)
        record = wiring_record(spec)
        chosen = sum(source > command for source, _, _ in record["adjacency"])
        if chosen > inter * inter_fanout:
            found.append(spec)
        seed += 1
    return found


def specifications():
    yield from (fully_connected(*a) for a in [
        (1, 1, 1, 0, False), (2, 2, 1, 1, False), (3, 1, 7, 2**32 - 1), (4, 2, 3, 2**32), (5, 1, 2, 2**63, False),
        (6, 6, 1, 2**64 - 1), (12, 5, 64, 20240229), (33, 1, 200, 9)])
    yield from (random(*a) for a in [
        (1, 1, 1, 0.0, 0), (1, 1, 1, 0.5, 1), (1, 1, 3, 0.5, 2), (3, 1, 1, 0.5, 3), (5, 2, 2, 0.9, 2**32 - 1),
        (5, 2, 2, 0.98, 2**32), (5, 2, 2, 0.999999999, 2**64 - 1), (7, 7, 4, 0.3, 8), (7, 3, 9, 1 / 3, 2**63),
        (10, 1, 5, 0.7, 10), (10, 1, 5, 0.995, 11), (6, 1, 1, 0.75, 12), (2, 1, 5, 0.25, 13), (100, 9, 1, 0.5, 14),
        (101, 9, 1, 0.9801, 15), (101, 9, 1, 0.98, 16), (101, 1, 1, 0.0, 17), (60, 4, 180, 0.9, 18),
        (150, 1, 150, 0.995, 19), (55, 2, 182, 0.0, 20)])
    yield from (ncp(*a) for a in [
        (1, 1, 1, (0, 0, 0, 0), 1, 0), (1, 1, 1, (1, 1, 5, 1), 3, 2**32 - 1), (4, 3, 2, (0, 0, 0, 0), 5, 1),
        (4, 3, 2, (4, 3, 30, 3), 5, 2), (9, 2, 1, (1, 0, 1, 0), 1, 3), (2, 9, 1, (1, 1, 3, 1), 1, 4),
        (2, 9, 7, (1, 1, 3, 1), 8, 5), (3, 5, 9, (2, 2, 0, 1), 2, 6), (3, 5, 9, (1, 4, 2, 0), 2, 7),
        (8, 4, 3, (2, 1, 6, 2), 1, 8), (8, 4, 3, (1, 1, 6, 1), 2, 9), (20, 1, 1, (3, 1, 2, 1), 2, 10),
        (30, 12, 6, (5, 4, 20, 4), 40, 11), (7, 7, 7, (0, 7, 7, 0), 7, 12)])
    yield from forgotten_command(10, 2, 1, 1, 3)
    yield from forgotten_command(8, 2, 1, 2, 2)
    yield from forgotten_command(16, 3, 1, 1, 2)
    yield from (auto_ncp(*a) for a in [
        (4, 1, 1, 0.5, 0), (4, 1, 2, 0.1, 1), (4, 1, 2, 1.0, 2), (5, 1, 1, 0.9, 2**32 - 1), (6, 2, 3, 0.2, 3),
        (8, 5, 9, 0.7, 4), (12, 2, 2, 0.35, 5), (15, 5, 1, 0.6, 6), (20, 3, 4, 0.8, 7), (30, 10, 60, 0.45, 8),
        (48, 1, 2, 0.99, 9), (97, 40, 13, 1 / 3, 10)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    records = [wiring_record(spec) for spec in specifications()]
    with open(args.out, "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(r, separators=(",", ":")) for r in records) + "\n]\n")


if __name__ == "__main__":
    main()
