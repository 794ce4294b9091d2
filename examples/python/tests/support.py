# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""What several tests share: the golden values of ncps in tests/data, and pairs of modules that must agree."""
import json
import pathlib

import ncps.torch
import ncps.wirings
import numpy as np
import torch
from safetensors import safe_open

import elegans.torch

DATA = pathlib.Path(__file__).resolve().parents[3] / "tests" / "data"
# Largest differences allowed, relative to the largest value where that is above 1.
OUTPUT = {torch.float32: 1e-6, torch.float64: 1e-10}
GRADIENT = {torch.float32: 1e-5, torch.float64: 1e-10}


class Golden:
    """A golden case: its tensors, and the module and wiring that it is about."""

    def __init__(self, name):
        with safe_open(DATA / f"{name}.safetensors", "pt") as file:
            self.case = json.loads(file.metadata()["case"])
            self.tensors = {key: file.get_tensor(key) for key in file.keys()}

    def __getitem__(self, key):
        return self.tensors.get(key)

    def group(self, prefix):
        return {key[len(prefix):]: value for key, value in self.tensors.items() if key.startswith(prefix)}

    def wiring(self, wirings):
        spec = self.case["wiring"]
        if isinstance(spec, int):
            return spec
        spec = dict(spec)
        return getattr(wirings, spec.pop("kind"))(**spec)

    def module(self, wirings, **options):
        kind = getattr(elegans.torch, self.case["model"])
        return kind(self.case["inputs"], self.wiring(wirings), **{**self.case.get("options", {}), **options})


def golden_names(prefixes=("ltc_", "cfc_")):
    return sorted(path.stem for path in DATA.glob("*.safetensors") if path.stem.startswith(prefixes))


def assert_close(got, wanted, tolerance, what=""):
    got, wanted = torch.as_tensor(got).detach().double(), torch.as_tensor(wanted).detach().double()
    assert got.shape == wanted.shape, what
    if wanted.numel():
        difference = (got - wanted).abs().max() / max(1.0, wanted.abs().max())
        assert difference <= tolerance, f"{what}: {difference:.3g} > {tolerance}"


def randomized(module, seed=0):
    """Moves every parameter off its initial value, so that none hides behind a 0 or a 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in module.parameters():
            if p.requires_grad:
                p.add_(0.1 * (torch.rand(p.shape, generator=generator) - 0.5))
    return module


def ncp(wirings):
    return wirings.NCP(6, 5, 3, 3, 2, 4, 2, seed=7)


# (kind, inputs, units or a function of the module of wirings, options)
PAIRS = [
    ("LTC", 3, 7, {}),
    ("LTC", 2, lambda w: w.FullyConnected(8, 2), {"implicit_param_constraints": False}),
    ("LTC", 4, ncp, {"ode_unfolds": 3, "epsilon": 1e-3}),
    ("LTC", 3, ncp, {"input_mapping": "linear", "output_mapping": "linear"}),
    ("LTC", 3, ncp, {"input_mapping": None, "output_mapping": None}),
    ("LTC", 2, lambda w: w.AutoNCP(12, 2), {"mixed_memory": True}),
    ("LTC", 2, lambda w: w.Random(9, 3, sparsity_level=0.6), {"return_sequences": False}),
    ("CfC", 3, 7, {}),
    ("CfC", 3, 7, {"mode": "pure", "backbone_units": 9}),
    ("CfC", 3, 7, {"mode": "no_gate", "backbone_units": 9, "backbone_layers": 3, "activation": "gelu"}),
    ("CfC", 2, 5, {"backbone_layers": 0, "return_sequences": False}),
    ("CfC", 2, 5, {"proj_size": 3, "backbone_units": 8, "activation": "relu"}),
    ("CfC", 2, 5, {"proj_size": 3, "backbone_units": 8, "mixed_memory": True, "activation": "silu"}),
    ("CfC", 4, ncp, {}),
    ("CfC", 4, ncp, {"mode": "pure"}),
    ("CfC", 2, lambda w: w.AutoNCP(14, 3), {"mode": "no_gate", "proj_size": 2}),
    ("CfC", 2, lambda w: w.FullyConnected(6, 2), {}),
    ("CfC", 2, lambda w: w.AutoNCP(14, 3), {"mixed_memory": True}),
    ("CfC", 2, 4, {"backbone_units": 6, "backbone_layers": 4, "backbone_dropout": 0.25}),
]


def make_pair(pair, dtype=torch.float32, **more):
    """A module of ncps with random parameters, and one of elegans with the same, both in eval mode."""
    kind, inputs, units, options = pair
    options = {**options, **more}

    def make(package, wirings):
        return getattr(package, kind)(inputs, units if isinstance(units, int) else units(wirings), **options)

    theirs = randomized(make(ncps.torch, ncps.wirings)).to(dtype).eval()
    ours = make(elegans.torch, elegans.wirings).to(dtype).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, ours


def pair_name(pair):
    kind, _, units, options = pair
    size = str(units) if isinstance(units, int) else "wired"
    return "-".join([kind, size] + [f"{name}={value}" for name, value in options.items()])


def state_of(module, batch, generator):
    shape = (batch, module.state_size) if batch else (module.state_size,)
    dtype = next(module.parameters()).dtype
    states = [(torch.rand(shape, generator=generator) - 0.5).to(dtype) for _ in range(2)]
    return tuple(states) if module.use_mixed else states[0]


def flat(state):
    return torch.cat(state, -1) if isinstance(state, tuple) else state


def same_arrays(a, b):
    return np.array_equal(np.asarray(a), np.asarray(b))
