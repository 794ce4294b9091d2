#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""The true ncps on one side, elegans on the other.

    interop_test.py BUILD        BUILD has examples/run_model and tests/elegans_interop_train

For models of every kind with random weights, in double and in float:

1. ncps saves its state_dict; run_model must give ncps' outputs and final state.
2. elegans reads the file and writes it; load_state_dict must take that (strict), every tensor equal to the bit.
3. Both sides train ten steps of Adam from the same weights; the losses must agree. ncps takes elegans' trained weights
   and must give the outputs that run_model gives for them.

Stacks likewise: an `nn.Sequential` of ncps' layers and PyTorch's. Recurrent layers return their outputs and their
state, and a Sequential hands on the outputs alone: so the layers here are subclasses, which keeps the names of the
tensors.

Needs torch, ncps 1.0.1 and safetensors; tests/interop/run sets them up.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from ncps.torch import LTC, CfC
from ncps.wirings import NCP, AutoNCP, FullyConnected, Random
from safetensors.torch import load_file, save_file


def ncp():
    return NCP(6, 5, 3, 3, 2, 4, 2, seed=7)


# (name, model class, inputs, units or a function that makes a wiring, ncps' options)
CASES = [
    ("ltc_units", LTC, 3, 7, {}),
    ("ltc_fully_connected", LTC, 2, lambda: FullyConnected(8, 2), {}),
    ("ltc_random_explicit", LTC, 2, lambda: Random(8, 1, sparsity_level=0.75), {"implicit_param_constraints": False}),
    ("ltc_ncp", LTC, 4, ncp, {"ode_unfolds": 3, "epsilon": 1e-3}),
    ("ltc_auto_ncp_explicit", LTC, 1, lambda: AutoNCP(16, 2), {"implicit_param_constraints": False}),
    ("ltc_linear", LTC, 3, ncp, {"input_mapping": "linear", "output_mapping": "linear"}),
    ("ltc_no_mapping", LTC, 3, ncp, {"input_mapping": None, "output_mapping": None}),
    ("ltc_mixed", LTC, 2, lambda: AutoNCP(12, 2), {"mixed_memory": True}),
    ("ltc_mixed_explicit", LTC, 2, 5, {"mixed_memory": True, "implicit_param_constraints": False}),
    ("cfc", CfC, 3, 7, {}),
    ("cfc_pure", CfC, 3, 7, {"mode": "pure", "backbone_units": 9}),
    ("cfc_no_gate", CfC, 3, 7, {"mode": "no_gate", "backbone_units": 9, "backbone_layers": 2}),
    ("cfc_deep_dropout", CfC, 2, 4, {"backbone_units": 6, "backbone_layers": 4, "backbone_dropout": 0.25}),
    ("cfc_no_backbone", CfC, 2, 5, {"backbone_layers": 0}),
    ("cfc_proj", CfC, 2, 5, {"proj_size": 3, "backbone_units": 8}),
    ("cfc_mixed_proj", CfC, 2, 5, {"proj_size": 3, "backbone_units": 8, "mixed_memory": True}),
    ("cfc_wired_ncp", CfC, 4, ncp, {}),
    ("cfc_wired_pure", CfC, 4, ncp, {"mode": "pure"}),
    ("cfc_wired_no_gate_proj", CfC, 2, lambda: AutoNCP(14, 3), {"mode": "no_gate", "proj_size": 2}),
    ("cfc_wired_one_layer", CfC, 2, lambda: FullyConnected(6, 2), {}),
    ("cfc_wired_mixed", CfC, 2, lambda: AutoNCP(14, 3), {"mixed_memory": True}),
] + [("cfc_" + a, CfC, 2, 5, {"activation": a, "backbone_units": 8}) for a in ("relu", "tanh", "gelu", "silu")]

STEPS = 12
# Largest differences allowed, relative to the largest value. Losses after ten steps in float carry ten roundings more.
TOLERANCE = {"double": {"output": 1e-10, "loss": 1e-10}, "float": {"output": 1e-5, "loss": 1e-4}}


class Bench:
    """A folder, the programs of one build, and what did not agree."""

    def __init__(self, build, folder):
        self.run_model = os.path.join(build, "examples", "run_model")
        self.train = os.path.join(build, "tests", "elegans_interop_train")
        self.folder = folder
        self.failures = []
        self.worst = {}

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, values):
        np.savetxt(self.path(name), np.atleast_2d(values), delimiter=",", fmt="%.17g")
        return self.path(name)

    def read(self, name, columns):
        return np.loadtxt(self.path(name), delimiter=",", ndmin=2).reshape(-1, columns)

    def call(self, *command):
        subprocess.run([str(word) for word in command], check=True)

    def expect(self, what, holds):
        if not holds:
            self.failures.append(what)
            print("FAILED:", what)

    def agree(self, case, kind, precision, got, expected):
        got, expected = np.asarray(got, dtype=np.float64), np.asarray(expected, dtype=np.float64)
        difference = np.abs(got - expected).max() / np.abs(expected).max() if got.shape == expected.shape else np.inf
        key = (kind, precision)
        self.worst[key] = max(self.worst.get(key, 0), difference)
        self.expect(f"{case}: {kind} in {precision} differ by {difference}", difference < TOLERANCE[precision][kind])


def make_model(case, generator):
    _, kind, inputs, units, options = case
    model = kind(inputs, units if isinstance(units, int) else units(), **options)
    with torch.no_grad():
        for p in model.parameters():
            if p.requires_grad:
                p.add_(0.2 * (torch.rand(p.shape, generator=generator) - 0.5))
    constrain(model)
    return model.eval()


def save(model, path):
    """The masks of a wired CfC are views, which safetensors does not take as they are."""
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, path)


def constrain(model):
    if hasattr(model.rnn_cell, "apply_weight_constraints"):
        model.rnn_cell.apply_weight_constraints()


def arguments(case, outputs):
    """What a file of Python's cannot tell."""
    name, kind, _, _, options = case
    given = []
    if kind is LTC:
        given += ["--constraints", "implicit" if options.get("implicit_param_constraints", True) else "explicit"]
        given += ["--ode-unfolds", options.get("ode_unfolds", 6), "--epsilon", options.get("epsilon", 1e-8)]
        if "output_mapping" in options and options["output_mapping"] is None:
            given += ["--outputs", outputs]
    else:
        given += ["--mode", options.get("mode", "default"), "--activation", options.get("activation", "lecun_tanh")]
    return given


def state_of(model, generator):
    state = 0.5 * torch.rand(1, model.state_size, generator=generator) - 0.25
    return (state, 0.5 * torch.rand(1, model.state_size, generator=generator) - 0.25) if model.use_mixed else state


def flat(state):
    return torch.cat(state if isinstance(state, tuple) else (state,), 1).detach().numpy()


def compare_outputs(bench, case, precision, model, file, x, state, spans, extra):
    with torch.no_grad():
        output, final = model(x, state, spans)
    bench.write("x.csv", x[0]), bench.write("t.csv", spans[0][:, None]), bench.write("h.csv", flat(state))
    bench.call(bench.run_model, file, "--input", bench.path("x.csv"), "--timespans", bench.path("t.csv"),
               "--initial-state", bench.path("h.csv"), "--output", bench.path("y.csv"), "--final-state",
               bench.path("f.csv"), "--precision", precision, *extra)
    bench.agree(case[0], "output", precision, bench.read("y.csv", output.shape[2]), output[0])
    bench.agree(case[0], "output", precision, bench.read("f.csv", flat(final).shape[1]), flat(final))


def train_in_python(model, x, y, epochs, explicit):
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=0.01)
    losses = []
    for _ in range(epochs):
        loss = ((model(x)[0] - y) ** 2).mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if explicit:
            constrain(model)
    return losses


def run_case(bench, case, precision):
    torch.set_default_dtype(torch.float64 if precision == "double" else torch.float32)
    seed = sum(map(ord, case[0]))
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed + 1)
    model = make_model(case, generator)
    x = 2 * torch.rand(1, STEPS, case[2], generator=generator) - 1
    spans = 0.05 + 2 * torch.rand(1, STEPS, generator=generator)
    state = state_of(model, generator)
    outputs = model(x)[0].shape[2]
    extra = arguments(case, outputs)

    # 1. Python's file here.
    theirs, ours = bench.path("theirs.safetensors"), bench.path("ours.safetensors")
    save(model, theirs)
    compare_outputs(bench, case, precision, model, theirs, x, state, spans, extra)

    # 2. Our file there. Its metadata has our options.
    bench.call(bench.train, theirs, ours, "--precision", precision, *extra)
    before, after = model.state_dict(), load_file(ours)
    same = set(before) == set(after) and all(
        before[k].dtype == after[k].dtype and torch.equal(before[k], after[k]) for k in before)
    bench.expect(f"{case[0]}: a {precision} state_dict comes back to the bit", same)
    again = make_model(case, generator)
    again.load_state_dict(after, strict=True)
    compare_outputs(bench, case, precision, again, ours, x, state, spans, [])

    # 3. Ten steps of Adam on both sides. Dropout draws other numbers there and here.
    y = torch.sin(torch.linspace(0, 6, STEPS))[None, :, None].repeat(1, 1, outputs)
    bench.write("y.csv", y[0])
    bench.write("x.csv", x[0])
    if "backbone_dropout" in case[4]:
        return
    explicit = not case[4].get("implicit_param_constraints", True)
    losses = train_in_python(again, x, y, 10, explicit)
    trained = bench.path("trained.safetensors")
    bench.call(bench.train, ours, trained, "--precision", precision, "--epochs", 10, "--input", bench.path("x.csv"),
               "--target", bench.path("y.csv"), "--losses", bench.path("losses.csv"))
    bench.agree(case[0], "loss", precision, bench.read("losses.csv", 1)[:, 0], losses)
    bench.expect(f"{case[0]}: training in {precision} changes the loss", abs(losses[-1] / losses[0] - 1) > 1e-3)
    again.load_state_dict(load_file(trained), strict=True)
    compare_outputs(bench, case, precision, again, trained, x, state, spans, [])


class OutputsOfLTC(LTC):
    """The usual wrapper: hands on the outputs and forgets the state."""

    def forward(self, *args):
        return super().forward(*args)[0]


class OutputsOfCfC(CfC):
    def forward(self, *args):
        return super().forward(*args)[0]


class OutputsOfLSTM(torch.nn.LSTM):
    def forward(self, *args):
        return super().forward(*args)[0]


class OutputsOfGRU(torch.nn.GRU):
    def forward(self, *args):
        return super().forward(*args)[0]


class BothWays(torch.nn.Module):
    """Our Bidirectional, in PyTorch."""

    def __init__(self, forward_layer, backward_layer):
        super().__init__()
        self.forward_layer, self.backward_layer = forward_layer, backward_layer

    def forward(self, x):
        return torch.cat((self.forward_layer(x), self.backward_layer(x.flip(1)).flip(1)), 2)


# (name, function that makes a stack of 2 inputs, options that a file of Python's cannot tell)
STACKS = [
    ("ltc_linear", lambda: torch.nn.Sequential(OutputsOfLTC(2, AutoNCP(12, 3)), torch.nn.Linear(3, 2)), []),
    ("ltc_without_mapping", lambda: torch.nn.Sequential(
        torch.nn.Linear(2, 4), OutputsOfLTC(4, AutoNCP(12, 3), output_mapping=None), torch.nn.Linear(3, 1)), []),
    ("cfc_ltc", lambda: torch.nn.Sequential(
        OutputsOfCfC(2, 5, backbone_units=6), OutputsOfLTC(5, AutoNCP(10, 3), mixed_memory=True, ode_unfolds=3),
        OutputsOfCfC(3, AutoNCP(9, 2), mode="pure")), ["--ode-unfolds", 3]),
    ("nested", lambda: torch.nn.Sequential(
        torch.nn.Sequential(torch.nn.Linear(2, 3), OutputsOfCfC(3, 4, backbone_units=6, mixed_memory=True)),
        BothWays(OutputsOfLTC(4, 5), OutputsOfLTC(4, AutoNCP(8, 2))), torch.nn.Linear(7, 2)), []),
    ("lstm_baseline", lambda: torch.nn.Sequential(
        OutputsOfLSTM(2, 6, batch_first=True), torch.nn.LayerNorm(6), torch.nn.Linear(6, 2)), []),
    ("gru_ltc", lambda: torch.nn.Sequential(
        BothWays(OutputsOfGRU(2, 3, batch_first=True), OutputsOfLSTM(2, 4, batch_first=True)),
        torch.nn.LayerNorm(7, eps=0.01), OutputsOfLTC(7, AutoNCP(10, 3))), ["--layer-norm-epsilon", 0.01]),
]


def run_stack(bench, stack, precision):
    torch.set_default_dtype(torch.float64 if precision == "double" else torch.float32)
    name, make, extra = stack
    seed = sum(map(ord, name))
    torch.manual_seed(seed)
    model = make().eval()
    x = 2 * torch.rand(1, STEPS, 2, generator=torch.Generator().manual_seed(seed)) - 1
    bench.write("x.csv", x[0])

    def compare(net, file, options):
        with torch.no_grad():
            output = net(x)
        bench.call(bench.run_model, file, "--input", bench.path("x.csv"), "--output", bench.path("y.csv"),
                   "--precision", precision, *options)
        bench.agree(name, "output", precision, bench.read("y.csv", output.shape[2]), output[0])

    # Their file here; ours there, whose metadata has the options.
    theirs, ours, trained = (bench.path(file + ".safetensors") for file in ("theirs", "ours", "trained"))
    save(model, theirs)
    compare(model, theirs, extra)
    bench.call(bench.train, theirs, ours, "--precision", precision, *extra)
    before, after = model.state_dict(), load_file(ours)
    bench.expect(f"{name}: a stack's {precision} state_dict comes back to the bit", set(before) == set(after) and all(
        before[k].dtype == after[k].dtype and torch.equal(before[k], after[k]) for k in before))
    again = make().eval()
    again.load_state_dict(after, strict=True)
    compare(again, ours, [])

    # Ten steps of Adam on both sides.
    y = torch.sin(torch.linspace(0, 6, STEPS))[None, :, None].repeat(1, 1, model(x).shape[2])
    optimizer = torch.optim.Adam([p for p in again.parameters() if p.requires_grad], lr=0.01)
    losses = []
    for _ in range(10):
        loss = ((again(x) - y) ** 2).mean()
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    bench.write("t.csv", y[0])
    bench.call(bench.train, ours, trained, "--precision", precision, "--epochs", 10, "--input", bench.path("x.csv"),
               "--target", bench.path("t.csv"), "--losses", bench.path("losses.csv"))
    bench.agree(name, "loss", precision, bench.read("losses.csv", 1)[:, 0], losses)
    again.load_state_dict(load_file(trained), strict=True)
    compare(again, trained, [])


def run_inside_another(bench):
    """A layer that is part of a larger model, and one of a Sequential."""
    torch.set_default_dtype(torch.float64)

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = torch.nn.ModuleDict({"rnn": LTC(2, AutoNCP(8, 1))})

        def forward(self, x):
            return self.body["rnn"](x)[0]

    for net, prefix in ((Net(), "body.rnn."), (torch.nn.Sequential(CfC(2, 4)), "0.")):
        save(net, bench.path("net.safetensors"))
        bench.call(bench.train, bench.path("net.safetensors"), bench.path("ours.safetensors"), "--save-prefix", prefix)
        net.load_state_dict(load_file(bench.path("ours.safetensors")), strict=True)
        x = torch.rand(1, 5, 2)
        bench.write("x.csv", x[0])
        bench.call(bench.run_model, bench.path("net.safetensors"), "--input", bench.path("x.csv"), "--output",
                   bench.path("y.csv"))
        output = net(x)
        output = output[0] if isinstance(output, tuple) else output
        bench.agree(prefix, "output", "double", bench.read("y.csv", output.shape[2]), output[0].detach())


def run_convert(bench):
    """convert.py, from torch.save's format and back."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "convert.py")
    model = CfC(2, AutoNCP(10, 2))
    torch.save(model.state_dict(), bench.path("state.pt"))
    bench.call(sys.executable, script, "torch-to-file", bench.path("state.pt"), bench.path("m.safetensors"))
    bench.call(bench.train, bench.path("m.safetensors"), bench.path("m.safetensors"), "--precision",
               "double" if torch.get_default_dtype() == torch.float64 else "float")
    bench.call(sys.executable, script, "file-to-torch", bench.path("m.safetensors"), bench.path("state.pt"))
    again = torch.load(bench.path("state.pt"))
    bench.expect("convert.py brings a state_dict back to the bit",
                 all(torch.equal(again[name], tensor) for name, tensor in model.state_dict().items()))
    model.load_state_dict(again, strict=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    args = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args.build, folder)
        for case in CASES:
            for precision in ("double", "float"):
                run_case(bench, case, precision)
        for stack in STACKS:
            for precision in ("double", "float"):
                run_stack(bench, stack, precision)
        run_inside_another(bench)
        run_convert(bench)
    for (kind, precision), difference in sorted(bench.worst.items()):
        print(f"largest difference of a {kind} in {precision}: {difference:.1e}")
    print(f"{len(CASES)} models, {len(STACKS)} stacks, {len(bench.failures)} failures")
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
