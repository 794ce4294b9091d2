# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Stacks of layers on numpy arrays, against PyTorch and ncps."""
import copy
import os
import pathlib
import pickle
import subprocess
import threading

import ncps.torch
import ncps.wirings
import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

import elegans
from support import DATA, OUTPUT, assert_close, randomized

CORPUS = DATA.parent / "fuzz" / "corpus"
X = np.random.default_rng(1).normal(size=(4, 9, 3))


def wiring(package, outputs=4):
    return package.wirings.AutoNCP(12, outputs)


def everything(dtype="float64"):
    """A layer of each kind, and a stack within the stack."""
    return elegans.Sequential([
        elegans.LTC(wiring(elegans), 3, implicit_param_constraints=True, dtype=dtype),
        elegans.LayerNorm(4, epsilon=1e-3, dtype=dtype),
        elegans.Dense(5, 4, activation="relu", dtype=dtype),
        elegans.Dropout(5, share=0.25, dtype=dtype),
        elegans.Sequential([elegans.LTC(wiring(elegans), 5, mixed_memory=True, implicit_param_constraints=True,
                                        dtype=dtype),
                            elegans.CfC(6, 4, backbone_units=7, dtype=dtype)]),
        elegans.CfC(5, 6, mixed_memory=True, backbone_units=7, dtype=dtype),
        elegans.LSTM(4, 5, dtype=dtype),
        elegans.GRU(3, 4, dtype=dtype),
        elegans.Dense(2, 3, dtype=dtype),
    ])


class Theirs(torch.nn.Sequential):
    """The same in PyTorch and ncps, with random parameters."""

    def __init__(self):
        super().__init__(
            ncps.torch.LTC(3, wiring(ncps)), torch.nn.LayerNorm(4, eps=1e-3), torch.nn.Linear(4, 5),
            torch.nn.Dropout(0.25),
            torch.nn.Sequential(ncps.torch.LTC(5, wiring(ncps), mixed_memory=True),
                                ncps.torch.CfC(4, 6, backbone_units=7)),
            ncps.torch.CfC(6, 5, mixed_memory=True, backbone_units=7),
            torch.nn.LSTM(5, 4, batch_first=True), torch.nn.GRU(4, 3, batch_first=True), torch.nn.Linear(3, 2))
        randomized(self).double().eval()

    def forward(self, x):
        """The outputs, and the state of each layer."""
        def run(layers, x):
            states = []
            for layer in layers:
                state = None
                if isinstance(layer, torch.nn.Sequential):
                    x, state = run(layer, x)
                elif isinstance(layer, (torch.nn.Linear, torch.nn.LayerNorm, torch.nn.Dropout)):
                    x = layer(x)
                else:
                    x, state = layer(x)
                x = x.relu() if layer is self[2] else x
                states.append(state)
            return x, tuple(states)

        torch.set_default_dtype(torch.float64)  # of ncps' first states
        try:
            return run(self, torch.as_tensor(x))
        finally:
            torch.set_default_dtype(torch.float32)

    def parameters_in_numpy(self):
        return {name: value.numpy() for name, value in self.state_dict().items() if not name.endswith("mask")}


def assert_same_states(got, wanted, tolerance, where="state"):
    if isinstance(wanted, tuple):
        assert isinstance(got, tuple) and len(got) == len(wanted), where
        for k, (a, b) in enumerate(zip(got, wanted)):
            assert_same_states(a, b, tolerance, f"{where}[{k}]")
    elif wanted is None:
        assert got is None, where
    else:  # PyTorch's LSTM has an axis for its layers
        assert_close(got, wanted.reshape(got.shape), tolerance, where)


def test_a_stack_is_that_of_torch(tmp_path):
    theirs, ours = Theirs(), everything()
    assert set(ours.parameters) == set(theirs.parameters_in_numpy())
    ours.set_parameters(theirs.parameters_in_numpy())
    y, states = ours(X)
    wanted, wanted_states = theirs(X)
    assert (ours.input_dim, ours.output_dim, ours.dtype, ours.kind) == (3, 2, np.float64, "Sequential")
    assert_close(y, wanted, OUTPUT[torch.float64])
    assert_same_states(states, wanted_states, OUTPUT[torch.float64])
    # A file loads there, strictly.
    path = str(tmp_path / "stack.safetensors")
    ours.save(path)
    for p in theirs.parameters():
        p.data.zero_()
    theirs.load_state_dict(safetensors.torch.load_file(path), strict=True)
    assert_close(y, theirs(X)[0], OUTPUT[torch.float64])


def test_a_file_of_torch(tmp_path):
    theirs = torch.nn.Sequential(ncps.torch.LTC(3, wiring(ncps)), torch.nn.Linear(4, 2))
    path = str(tmp_path / "stack.safetensors")
    safetensors.torch.save_file(theirs.state_dict(), path)
    ours = elegans.load(path)
    assert [type(layer) for layer in ours.layers] == [elegans.LTC, elegans.Dense] and ours.dtype == np.float32
    x = torch.as_tensor(X).float()
    assert_close(ours(X)[0], theirs[1](theirs[0](x)[0]), OUTPUT[torch.float32])
    assert elegans.load(path, prefix="0").kind == "LTC"
    assert elegans.load(path, dtype="float64").dtype == np.float64


@pytest.mark.parametrize("name, kinds", [
    ("stack", ["Dense", "Bidirectional", "Sequential"]), ("stack_both", ["Dense", "Dense"]),
    ("stack_dropout", ["GRU", "Dropout", "Bidirectional", "LayerNorm"]),
    ("stack_gated", ["LSTM", "LayerNorm", "GRU", "Dense"]), ("stack_torch", None)])
def test_files_that_the_library_reads(name, kinds, tmp_path):
    """Stacks within stacks, in the files that C++'s own tests load."""
    theirs = safetensors.numpy.load(pathlib.Path(CORPUS, name).read_bytes())
    ours = elegans.load(CORPUS / name)
    assert kinds is None or [layer.kind for layer in ours.layers] == kinds
    values = sorted(value.tobytes() for value in ours.parameters.values())
    assert values == sorted(value.tobytes() for tensor, value in theirs.items() if not tensor.endswith("mask"))
    y, states = ours(np.ones((2, 5, ours.input_dim)))
    assert np.isfinite(y).all() and y.shape[-1] == ours.output_dim and len(states) == len(ours.layers)
    ours.save(tmp_path / "again")
    np.testing.assert_array_equal(elegans.load(tmp_path / "again")(np.ones((2, 5, ours.input_dim)))[0], y)


@pytest.mark.skipif("ELEGANS_RUN_MODEL" not in os.environ, reason="needs the example program run_model")
@pytest.mark.parametrize("make", [
    everything,
    lambda: elegans.Bidirectional(elegans.GRU(4, 3, dtype="float64"), elegans.Dense(2, 3, dtype="float64"))])
def test_a_program_in_cpp_runs_the_file(make, tmp_path):
    model, x = make(), X[0]
    model.save(tmp_path / "model.safetensors")
    np.savetxt(tmp_path / "x.csv", x, delimiter=",", fmt="%.17g")
    subprocess.run([os.environ["ELEGANS_RUN_MODEL"], "model.safetensors", "--input", "x.csv", "--output", "y.csv",
                    "--precision", "double"], cwd=tmp_path, check=True)
    assert_close(np.loadtxt(tmp_path / "y.csv", delimiter=","), model(x)[0], OUTPUT[torch.float64])


def test_gated_layers_are_those_of_torch():
    for kind in ("LSTM", "GRU"):
        torch.manual_seed(5)
        theirs = getattr(torch.nn, kind)(3, 6, batch_first=True)
        ours = getattr(elegans, kind)(6, 3, seed=5)
        for name, value in theirs.state_dict().items():
            np.testing.assert_array_equal(ours.parameters[name], value.numpy())
        state = ours(X)[1]
        y, state = ours(X, state)
        first = theirs(torch.as_tensor(X).float())[1]
        wanted, _ = theirs(torch.as_tensor(X).float(), first)
        assert_close(y, wanted, OUTPUT[torch.float32])
        assert isinstance(state, tuple) == (kind == "LSTM")
        last, _ = getattr(elegans, kind)(6, 3, seed=5, return_sequences=False)(X)
        np.testing.assert_array_equal(last, ours(X)[0][:, -1])
    assert_close(elegans.LSTM(6, 3, forget_bias=1.0, seed=5).parameters["bias_ih_l0"][6:12] -
                 elegans.LSTM(6, 3, seed=5).parameters["bias_ih_l0"][6:12], np.ones(6), 1e-6)


def test_a_stack_goes_on_where_it_stopped():
    model = everything()
    wanted, wanted_states = model(X)
    first, states = model(X[:, :4])
    second, states = model(X[:, 4:], states)
    assert_close(np.concatenate([first, second], 1), wanted, 1e-14)
    assert_same_states(states, wanted_states, 1e-14)
    # Without batch, and with a part of the states.
    one, one_states = model(X[1])
    assert_close(one, wanted[1], 1e-14)
    assert one_states[0].shape == (12, ) and one_states[4][0][1].shape == (12, )
    zeros = model(X[1], (np.zeros(12), *[None] * 8))
    np.testing.assert_array_equal(zeros[0], one)


def test_elapsed_times_masks_and_last_outputs():
    """Each layer sees the elapsed times and the mask, up to the first that gives its last output only."""
    ltc, cfc = elegans.LTC(6, 3, dtype="float64"), elegans.CfC(4, 6, return_sequences=False, dtype="float64")
    dense = elegans.Dense(2, 4, dtype="float64")
    model = elegans.Sequential([ltc, cfc, dense])
    spans = np.random.default_rng(2).uniform(0.1, 2, (4, 9))
    mask = np.arange(9) < np.array([9, 4, 1, 6])[:, None]
    y, _ = model(X, timespans=spans, mask=mask)
    hidden, _ = ltc(X, timespans=spans, mask=mask)
    last, _ = cfc(hidden, timespans=spans, mask=mask)
    assert not model.return_sequences and y.shape == (4, 2)
    np.testing.assert_array_equal(y, dense(last[:, None])[0][:, 0])


def test_a_bidirectional_layer():
    ahead, behind = (elegans.LTC(5, 3, seed=seed, dtype="float64") for seed in (1, 2))
    model = elegans.Bidirectional(ahead, behind)
    y, states = model(X)
    np.testing.assert_array_equal(y[..., :5], ahead(X)[0])
    np.testing.assert_array_equal(y[..., 5:], behind(X[:, ::-1])[0][:, ::-1])
    np.testing.assert_array_equal(states[1], behind(X[:, ::-1])[1])
    assert set(model.parameters) == {f"{side}_layer.{name}" for side in ("forward", "backward")
                                     for name in ahead.parameters}
    with pytest.raises(elegans.InvalidArgument, match="later|whole sequence|Bidirectional"):
        elegans.fit(model, X, y, bptt_steps=3, show_progress=False)


@pytest.mark.parametrize("make", [
    everything, lambda: everything("float32"),
    lambda: elegans.Bidirectional(elegans.GRU(4, 3), elegans.Sequential([elegans.Dense(2, 3)])),
    lambda: elegans.Sequential([elegans.Dropout(3)]), lambda: elegans.LSTM(4, 3), lambda: elegans.GRU(4, 3),
    lambda: elegans.Dense(4, 3, activation="sigmoid"), lambda: elegans.LayerNorm(3), lambda: elegans.Dropout(3)])
def test_copies_and_files(make, tmp_path):
    model = make()
    wanted, wanted_states = model(X)
    path = tmp_path / "model.safetensors"
    elegans.save(model, path)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), elegans.load(path, dtype=model.dtype)):
        assert type(other) is type(model) and other.dtype == model.dtype and repr(other) == repr(model)
        y, states = other(X)
        np.testing.assert_array_equal(y, wanted)
        assert_same_states(states, wanted_states, 0)
        assert other.summary() == model.summary()
        if model.parameters:
            other.set_parameters({name: value + 0.5 for name, value in other.parameters.items()})
            assert (other(X)[0] != wanted).any()
            np.testing.assert_array_equal(model(X)[0], wanted)


def test_layers_are_copies():
    dense = elegans.Dense(4, 3)
    model = elegans.Sequential([dense, elegans.LTC(wiring(elegans), 4)])
    wanted = model(X)[0]
    dense.set_parameters({"weight": np.zeros((4, 3))})
    np.testing.assert_array_equal(model(X)[0], wanted)
    layers = model.layers
    assert [type(layer) for layer in layers] == [elegans.Dense, elegans.LTC]
    drawn = wiring(elegans)
    drawn.build(4)
    np.testing.assert_array_equal(layers[1].wiring.adjacency_matrix, drawn.adjacency_matrix)
    assert layers[1].units == 12
    np.testing.assert_array_equal(layers[1](layers[0](X)[0])[0], wanted)
    model.set_parameters({"0.weight": np.zeros((4, 3))})
    assert (model.layers[0].parameters["weight"] == 0).all() and (layers[0].parameters["weight"] != 0).any()
    assert "Dense" in model.summary() and "LTC" in model.summary()


def test_training_follows_torch():
    """The same losses as PyTorch's autograd and Adam."""
    theirs = torch.nn.Sequential(ncps.torch.LTC(3, wiring(ncps)), torch.nn.LayerNorm(4), torch.nn.LSTM(4, 5),
                                 torch.nn.Linear(5, 2))
    randomized(theirs).double()
    for module in theirs:
        module.batch_first = True
    ours = elegans.Sequential([
        elegans.LTC(wiring(elegans), 3, implicit_param_constraints=True, dtype="float64"),
        elegans.LayerNorm(4, dtype="float64"), elegans.LSTM(5, 4, dtype="float64"),
        elegans.Dense(2, 5, dtype="float64")])
    ours.set_parameters({name: value.numpy() for name, value in theirs.state_dict().items() if "mask" not in name})
    y = np.stack([X.sum(2), np.cumsum(X[..., 0], 1)], 2)
    history = elegans.fit(ours, X, y, epochs=30, learning_rate=0.01, show_progress=False)
    adam = torch.optim.Adam([p for p in theirs.parameters() if p.requires_grad], lr=0.01, eps=1e-7)
    losses = []
    for _ in range(30):
        adam.zero_grad()
        hidden = theirs[1](theirs[0](torch.as_tensor(X))[0])
        loss = (theirs[3](theirs[2](hidden)[0]) - torch.as_tensor(y)).pow(2).mean()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-6)
    assert losses[-1] < losses[0]


def test_dropout_drops_in_training_alone():
    model = lambda share: elegans.Sequential([elegans.Dense(8, 3), elegans.Dropout(8, share=share),
                                              elegans.Dense(1, 8)])
    dropping, other = model(0.5), model(0.0)
    np.testing.assert_array_equal(dropping(X)[0], other(X)[0])
    losses = [elegans.fit(m, X, X[..., :1], epochs=2, show_progress=False)["loss"] for m in (dropping, other)]
    assert losses[0] != losses[1]


def test_threads_run_a_stack_while_one_trains():
    model, results = everything("float32"), []
    # With a callback, others see the parameters of each epoch.
    training = threading.Thread(target=lambda: model.fit(X, X[..., :2], epochs=200, show_progress=False,
                                                         on_epoch=lambda epoch: True))

    def run():
        while training.is_alive():
            results.append(np.isfinite(model(X)[0]).all())

    threads = [threading.Thread(target=run) for _ in range(2)]
    training.start()
    for thread in threads:
        thread.start()
    for thread in (training, *threads):
        thread.join()
    assert len(results) > 5 and all(results)


@pytest.mark.parametrize("call, message", [
    (lambda: elegans.Sequential([]), "must have a layer, got none"),
    (lambda: elegans.Sequential([elegans.Dense(4, 3), elegans.Dense(2, 5)]), "5.*4|4.*5"),
    (lambda: elegans.Sequential([elegans.Dense(4, 3), torch.nn.Linear(4, 2)]), "layer 1 must be a model of elegans"),
    (lambda: elegans.Sequential([elegans.Dense(4, 3), elegans.LSTM(2, 4, dtype="float64")]),
     "layer 0 has float32, layer 1 float64"),
    (lambda: elegans.Bidirectional(elegans.Dense(4, 3), elegans.Dense(4, 2)), "as many inputs, got 3 and 2"),
    (lambda: elegans.Dense(0, 3), "units must be at least 1, got 0"),
    (lambda: elegans.Dense(3, 3, activation="swish"), "activation must be one of linear"),
    (lambda: elegans.Dropout(3, share=1.0), r"share must be in \[0, 1\), got 1"),
    (lambda: elegans.LayerNorm(3, epsilon=0.0), "epsilon must be finite and above 0"),
    (lambda: elegans.Dense(2, 3)(X, np.zeros((4, 2))), "hx must be None, since the layer has no state"),
    (lambda: elegans.LSTM(2, 3)(X, np.zeros((4, 2))), "hx must be a tuple of 2 states, got ndarray of 4"),
    (lambda: everything()(X, (None, )), "hx must be a tuple of 9 states, got tuple of 1"),
    (lambda: everything()(X, (np.zeros((4, 11)), *[None] * 8)), r"hx\[0\] must be \(4, 12\), got \(4, 11\)"),
    (lambda: everything()(X[..., :2]), r"x must be \(batch, time, 3\)"),
    (lambda: everything().set_parameters({"0.w": 0}), "there is no '0.w'"),
])
def test_refusals(call, message):
    with pytest.raises(elegans.InvalidArgument, match=message):
        call()
