# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""elegans' models on numpy arrays, their wirings, training and files, against ncps and golden values."""
import copy
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import types

import ncps.wirings
import numpy as np
import pytest
import safetensors.torch
import torch

import elegans
import elegans.torch
from support import DATA, GRADIENT, OUTPUT, Golden, assert_close, golden_names, make_pair, PAIRS, pair_name

SINE = np.linspace(0, 3 * np.pi, 48)
SINE_X = np.stack([np.sin(SINE), np.cos(SINE)], 1)
SINE_Y = np.sin(2 * SINE)[:, None]


def sine_model(**options):
    return elegans.LTC(elegans.wirings.AutoNCP(8, 1), 2, **options)


# --- wirings ---------------------------------------------------------------------------------------------------------

RECORDS = json.loads((DATA / "wirings.json").read_text())


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: f"{r['wiring']['kind']}-{r['units']}")
def test_wirings_are_those_of_ncps(record):
    spec = dict(record["wiring"])
    kind, input_dim = spec.pop("kind"), spec.pop("input_dim")
    ours, theirs = getattr(elegans.wirings, kind)(**spec), getattr(ncps.wirings, kind)(**spec)
    for wiring in (ours, theirs):
        wiring.build(input_dim)
    assert (ours.units, ours.input_dim, ours.output_dim) == (record["units"], record["input_dim"], record["output_dim"])
    np.testing.assert_array_equal(ours.adjacency_matrix, theirs.adjacency_matrix)
    np.testing.assert_array_equal(ours.sensory_adjacency_matrix, theirs.sensory_adjacency_matrix)
    assert ours.synapse_count == record["synapse_count"]
    assert ours.sensory_synapse_count == record["sensory_synapse_count"]
    assert [ours.get_type_of_neuron(i) for i in range(ours.units)] == record["neuron_types"]
    assert [ours.get_neurons_of_layer(layer) for layer in range(ours.num_layers)] == record["layers"]


class Mine(ncps.wirings.Wiring):
    """A wiring of a user, as in ncps' manual."""

    def __init__(self):
        super().__init__(units=4)
        self.set_output_dim(1)
        self.add_synapse(2, 1, 1)
        self.add_synapse(1, 0, -1)

    def build(self, input_dim):
        super().build(input_dim)
        self.add_sensory_synapse(0, 2, 1)


def test_foreign_wirings():
    x = torch.rand(2, 5, 2)
    theirs, ours = ncps.torch.LTC(2, Mine()), elegans.torch.LTC(2, Mine())
    ours.load_state_dict(theirs.state_dict())
    assert_close(ours(x)[0], theirs(x)[0], OUTPUT[torch.float32])
    model = elegans.LTC(Mine(), 2, implicit_param_constraints=True)
    model.set_parameters({name: p.detach().numpy() for name, p in theirs.state_dict().items() if "mask" not in name})
    assert_close(model(x.numpy())[0], theirs(x)[0], OUTPUT[torch.float32])


def test_a_wiring_by_hand():
    wiring = elegans.wirings.Wiring(4, 1)
    wiring.add_synapse(2, 1, 1)
    wiring.add_synapse(1, 0, -1)
    wiring.build(2)
    wiring.add_sensory_synapse(0, 2, 1)
    theirs = Mine()
    theirs.build(2)
    np.testing.assert_array_equal(wiring.adjacency_matrix, theirs.adjacency_matrix)
    a, b = elegans.LTC(wiring, 2), elegans.LTC(theirs, 2)
    np.testing.assert_array_equal(a(SINE_X)[0], b(SINE_X)[0])
    changed = elegans.wirings.AutoNCP(8, 1)
    changed.add_synapse(0, 0, -1)
    changed.build(2)
    assert changed.adjacency_matrix[0, 0] == -1 and changed.synapse_count == 12


@pytest.mark.parametrize("spoil, message", [
    (lambda w: setattr(w, "adjacency_matrix", np.zeros((3, 4), int)), r"must be \(4, 4\), got \(3, 4\)"),
    (lambda w: setattr(w, "adjacency_matrix", np.full((4, 4), 2)), "entries -1, 0 and 1"),
    (lambda w: setattr(w, "output_dim", None), "output_dim is None"),
    (lambda w: setattr(w, "output_dim", 5), r"output_dim must be in \[1, units = 4\], got 5"),
    (lambda w: w.build(3), "[Cc]onflicting input dimensions"),
])
def test_wirings_that_do_not_fit(spoil, message):
    wiring = Mine()
    spoil(wiring)
    with pytest.raises(ValueError, match=message):
        elegans.LTC(wiring, 2)


@pytest.mark.parametrize("call, message", [
    (lambda: elegans.wirings.AutoNCP(8, 6), "output_dim must be below units - 2 = 6, got 6"),
    (lambda: elegans.wirings.Random(8, 1, sparsity_level=1.0), r"sparsity must be in \[0, 1\), got 1"),
    (lambda: elegans.wirings.FullyConnected(8, 9), "output_dim"),
    (lambda: elegans.wirings.Wiring(3).add_synapse(0, 3, 1), r"got 0 to 3"),
    (lambda: elegans.wirings.Wiring(3).add_synapse(0, 1, 2), "polarity must be -1 or 1, got 2"),
    (lambda: elegans.wirings.Wiring(3).add_sensory_synapse(0, 1, 1), "call build"),
])
def test_wirings_that_make_no_sense(call, message):
    with pytest.raises(elegans.InvalidArgument, match=message):
        call()


# --- models ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("name", golden_names())
def test_golden(name, dtype):
    golden = Golden(name)
    options = dict(golden.case.get("options", {}))
    units = golden.wiring(elegans.wirings)
    kind = getattr(elegans, golden.case["model"])
    if golden.case["model"] == "LTC":
        options.setdefault("implicit_param_constraints", True)
    elif name == "cfc_wired_fc":
        pytest.skip("the last layer of this wiring is not its motor neurons: elegans.CfC refuses it, see below")
    model = kind(units, golden.case["inputs"], dtype=dtype, **options)
    model.set_parameters({key: value.numpy() for key, value in golden.group("param.").items() if "mask" not in key})
    numpy = lambda key: None if golden[key] is None else golden[key].detach().numpy()
    h = numpy("h0") if golden["c0"] is None else (numpy("h0"), numpy("c0"))
    y, state = model(numpy("x"), h, numpy("timespans"))
    tolerance = OUTPUT[torch.float32 if dtype == "float32" else torch.float64]
    assert y.dtype == dtype
    assert_close(y, golden["output"], tolerance)
    assert_close(np.concatenate(state, 1) if model.mixed_memory else state, golden["final_state"], tolerance)
    one, final = model(numpy("x")[0], None if h is None else h[0] if golden["c0"] is None else (h[0][0], h[1][0]),
                       None if golden["timespans"] is None else numpy("timespans")[0])
    assert_close(one, golden["output"][0], tolerance)


def test_a_wired_cfc_of_one_layer_is_refused():
    with pytest.raises(elegans.InvalidArgument, match="the last layer of a wiring must be its"):
        elegans.CfC(elegans.wirings.FullyConnected(6, 2), 3)


def test_initial_values_are_those_of_torch():
    torch.manual_seed(7)
    theirs = ncps.torch.LTC(2, ncps.wirings.AutoNCP(8, 1)).state_dict()
    for name, value in sine_model(seed=7).parameters.items():
        np.testing.assert_array_equal(value, theirs[name].numpy())


def test_masks_and_shared_elapsed_times():
    model = sine_model(dtype="float64")
    x = np.random.default_rng(1).normal(size=(2, 6, 2))
    spans = np.array([0.5, 1, 2, 0.1, 1, 3])
    mask = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]], bool)
    y, state = model(x, timespans=spans, mask=mask)
    first, first_state = model(x[0, :4], timespans=spans[:4])
    second, second_state = model(x[1], timespans=spans)
    np.testing.assert_allclose(y[0, :4], first, rtol=0, atol=1e-14)
    np.testing.assert_allclose(y[1], second, rtol=0, atol=1e-14)
    np.testing.assert_allclose(state, [first_state, second_state], rtol=0, atol=1e-14)


def test_any_memory_layout():
    model = sine_model()
    x = np.random.default_rng(1).normal(size=(3, 6, 2)).astype(np.float32)
    wanted, _ = model(x)
    record = np.zeros((3, 6), dtype=[("a", "u1"), ("x", "f4", 2)])
    record["x"] = x
    for given in (np.asfortranarray(x), x.transpose(1, 0, 2).copy().transpose(1, 0, 2), x[::-1].copy()[::-1],
                  x.astype(float), x.tolist(), record["x"]):
        np.testing.assert_array_equal(model(given)[0], wanted)


@pytest.mark.parametrize("call, message", [
    (lambda m: m(np.zeros((3, 4, 5))), r"x must be \(batch, time, 2\) or \(time, 2\), got \(3, 4, 5\)"),
    (lambda m: m(np.zeros(4)), "x must be"),
    (lambda m: m(np.zeros((3, 0, 2))), "time >= 1"),
    (lambda m: m(SINE_X, np.zeros(7)), r"hx must be \(8,\), got \(7,\)"),
    (lambda m: m(SINE_X[None], np.zeros((2, 8))), r"hx must be \(1, 8\), got \(2, 8\)"),
    (lambda m: m(SINE_X, timespans=np.ones(3)), r"timespans must be \(batch, time\) = \(1, 48\) or \(time\) = \(48,\)"),
    (lambda m: m(SINE_X, timespans=-np.ones(48)), "elapsed time must be finite and at least 0"),
    (lambda m: m.set_parameters({"rnn_cell.x": 0}), "there is no 'rnn_cell.x'"),
    (lambda m: m.set_parameters({"rnn_cell.w": np.zeros((3, 3))}), r"rnn_cell.w must be \(8, 8\), got \(3, 3\)"),
    (lambda m: elegans.LTC(8, 2, dtype="float16"), "dtype must be float32 or float64, got float16"),
    (lambda m: elegans.LTC(8, 2, solver="magic"), "solver must be one of semi_implicit"),
    (lambda m: elegans.LTC(0, 2), "units must be in"),
    (lambda m: elegans.fit(m, SINE_X, SINE_Y[:5]), "y must be"),
    (lambda m: elegans.fit(m, SINE_X, SINE_Y, loss="mse"), "loss must be one of mean_squared_error"),
    (lambda m: elegans.fit(m, SINE_X, SINE_Y, optimizer="lbfgs"), "optimizer must be one of adam"),
    (lambda m: elegans.fit(m, SINE_X, SINE_Y, metrics=["auc"]), "a metric must be one of accuracy, .*, got auc"),
    (lambda m: elegans.fit(m, SINE_X, SINE_Y, metrics=["r2", "r2"]), "got r2 twice"),
    (lambda m: elegans.fit(m, SINE_X, SINE_Y, metrics=["r2"], monitor="f1"), "monitor must be .* r2, got f1"),
    (lambda m: elegans.fit(m, SINE_X, SINE_Y, optimizer_options={"beta": 1}), r"adam has the options learning_rate"),
    (lambda m: elegans.fit(m, SINE_X, SINE_Y, epochs=-1), "epochs must be at least 0, got -1"),
    (lambda m: elegans.fit(m, SINE_X, SINE_Y, validation_split=1.0), "validation_split"),
    (lambda m: elegans.fit(m, SINE_X, SINE_Y + 2, loss="binary_cross_entropy"), r"a target must be in \[0, 1\]"),
    (lambda m: elegans.fit(m, SINE_X, SINE_Y, workers=0), "workers"),
])
def test_refusals(call, message):
    with pytest.raises(elegans.InvalidArgument, match=message):
        call(sine_model())


@pytest.mark.parametrize("make", [
    lambda: sine_model(dtype="float64"), lambda: elegans.LTC(5, 2, mixed_memory=True, seed=3),
    lambda: elegans.CfC(6, 2, proj_size=2, backbone_units=7, mode="no_gate"),
    lambda: elegans.CfC(elegans.wirings.AutoNCP(9, 2), 2, mixed_memory=True)])
def test_copies_and_files(make, tmp_path):
    model = make()
    wanted = model(SINE_X)
    path = tmp_path / "model.safetensors"
    elegans.save(model, path)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), elegans.load(path)):
        assert type(other) is type(model) and other.dtype == model.dtype and other.kind == model.kind
        got = other(SINE_X)
        np.testing.assert_array_equal(got[0], wanted[0])
        np.testing.assert_array_equal(got[1], wanted[1])
        other.set_parameters({name: value * 0.5 for name, value in other.parameters.items()})
        assert (other(SINE_X)[0] != wanted[0]).any()
        np.testing.assert_array_equal(model(SINE_X)[0], wanted[0])


@pytest.mark.parametrize("pair", PAIRS, ids=pair_name)
def test_files_of_ncps(pair, tmp_path):
    theirs, _ = make_pair(pair)
    path = str(tmp_path / "model.safetensors")
    safetensors.torch.save_file({name: t.contiguous() for name, t in theirs.state_dict().items()}, path)
    kind, inputs, units, options = pair
    untold = ("implicit_param_constraints", "ode_unfolds", "epsilon", "mode", "activation", "return_sequences")
    told = {name: value for name, value in options.items() if name in untold}
    if "output_mapping" in options and options["output_mapping"] is None:
        told["output_dim"] = theirs.output_size
    model = elegans.load(path, **told)
    x = torch.rand(3, 5, inputs)
    assert_close(model(x.numpy())[0], theirs(x)[0], OUTPUT[torch.float32])
    # And back.
    again = str(tmp_path / "again.safetensors")
    elegans.save(model, again)
    theirs.load_state_dict(safetensors.torch.load_file(again), strict=True)


def test_files_that_are_none(tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(elegans.RuntimeError, match="model.safetensors"):
        elegans.load(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(elegans.InvalidArgument, match="model.safetensors"):
        elegans.load(path)
    with pytest.raises(elegans.RuntimeError):
        elegans.save(sine_model(), tmp_path / "no folder" / "model.safetensors")


def test_draw(tmp_path):
    pytest.importorskip("elegans._graph", reason="built without Graphviz")
    model = sine_model()
    elegans.draw(model, tmp_path / "wiring.svg")
    assert (tmp_path / "wiring.svg").read_text().count("<g id=\"edge") >= model.wiring.synapse_count
    theirs = ncps.wirings.AutoNCP(8, 1)
    theirs.build(2)
    elegans.draw(theirs, tmp_path / "theirs.dot")
    elegans.draw(model.wiring, tmp_path / "ours.dot")
    assert (tmp_path / "theirs.dot").read_text() == (tmp_path / "ours.dot").read_text()
    with pytest.raises(elegans.InvalidArgument, match="must end in .dot, .svg or .png"):
        elegans.draw(model.wiring, tmp_path / "wiring.jpg")
    with pytest.raises(elegans.InvalidArgument, match="call build"):
        elegans.draw(elegans.wirings.AutoNCP(8, 1), tmp_path / "wiring.svg")


# --- training --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, wiring", [
    ("training_auto_ncp", elegans.wirings.AutoNCP(8, 1)),
    ("training_fully_connected", elegans.wirings.FullyConnected(8, 1)),
    ("training_random", elegans.wirings.Random(8, 1, 0.75))])
def test_training_follows_ncps(name, wiring):
    golden = Golden(name)
    model = elegans.LTC(wiring, 2, dtype="float64")
    model.set_parameters({key: value.numpy() for key, value in golden.group("initial.").items() if "mask" not in key})
    history = elegans.fit(model, SINE_X, SINE_Y, epochs=400, learning_rate=0.01, show_progress=False)
    assert_close(history["loss"], golden["losses"], 1e-6)
    assert history["stopped_by"] == "all epochs" and len(history["learning_rate"]) == 400


def test_options_of_a_training():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(12, 7, 2))
    y = np.tanh(x.sum(2, keepdims=True))
    epochs = []

    def on_epoch(epoch):
        epochs.append((epoch, model(x)[0]))
        return epoch["number"] < 4

    model = sine_model()
    frozen = model.parameters["rnn_cell.mu"]
    history = elegans.fit(model, x, y, epochs=9, batch_size=4, optimizer="rmsprop",
                          optimizer_options={"rho": 0.8, "momentum": 0.1}, loss="huber", delta=0.5,
                          validation_data=(x, y), schedule=lambda step, steps: 1 - step / steps, clip_norm=1.0,
                          freeze=["mu"], timespans=np.full(7, 0.5), mask=np.ones((12, 7)), sample_weight=np.ones(12),
                          show_progress=False, on_epoch=on_epoch)
    assert history["stopped_by"] == "callback" and len(history["loss"]) == 4 == len(history["validation_loss"])
    assert [e["number"] for e, _ in epochs] == [1, 2, 3, 4]
    np.testing.assert_allclose(history["learning_rate"], [0.001 * (1 - k / 9) for k in range(4)], rtol=1e-6)
    np.testing.assert_array_equal(model.parameters["rnn_cell.mu"], frozen)
    # A callback runs the model of its epoch.
    np.testing.assert_array_equal(epochs[-1][1], model(x)[0])
    assert (epochs[0][1] != epochs[1][1]).any()


def test_metrics():
    """Those of the validation data are what numpy makes of the trained model's outputs."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(30, 5, 2))
    y = (x.sum(2, keepdims=True) + 0.5 * rng.normal(size=(30, 5, 1)) > 0).astype(float)
    model, epochs = sine_model(dtype="float64"), []
    names = ["accuracy", "precision", "recall", "f1", "r2", "mean_absolute_error"]
    history = elegans.fit(model, x, y, epochs=12, batch_size=8, learning_rate=0.02, loss="binary_cross_entropy",
                          metrics=names, monitor="f1", restore_best_weights=True, show_progress=False,
                          on_epoch=epochs.append, validation_data=(x[:20], y[:20]))
    logits, _ = model(x[:20])
    yes, wanted = logits > 0, y[:20] > 0.5
    hits, given, all_yes = (yes & wanted).sum(), yes.sum(), wanted.sum()
    truth = {"accuracy": (yes == wanted).mean(), "precision": hits / given, "recall": hits / all_yes,
             "f1": 2 * hits / (given + all_yes), "mean_absolute_error": abs(logits - y[:20]).mean(),
             "r2": 1 - ((y[:20] - logits)**2).sum() / ((y[:20] - y[:20].mean())**2).sum()}
    best = history["best_epoch"] - 1
    for name in names:
        assert len(history[name]) == 12 == len(history[f"validation_{name}"])
        np.testing.assert_allclose(history[f"validation_{name}"][best], truth[name], rtol=1e-12)
        assert [e[name] for e in epochs] == history[name]
        assert [e[f"validation_{name}"] for e in epochs] == history[f"validation_{name}"]
    assert history["validation_f1"][best] == max(history["validation_f1"])
    plain = elegans.fit(sine_model(), x, y, show_progress=False)
    assert "accuracy" not in plain and "validation_accuracy" not in plain


def test_any_number_of_workers_gives_the_same_bits():
    x = np.random.default_rng(3).normal(size=(40, 7, 2))
    y = np.tanh(x.sum(2, keepdims=True))
    models = [sine_model() for _ in range(2)]
    for workers, model in enumerate(models, 1):
        elegans.fit(model, x, y, epochs=3, workers=workers, show_progress=False)
    for name, value in models[0].parameters.items():
        np.testing.assert_array_equal(value, models[1].parameters[name])


def test_an_error_leaves_the_epochs_before():
    model, wanted = sine_model(), sine_model()
    elegans.fit(wanted, SINE_X, SINE_Y, epochs=2, show_progress=False)

    def fail(epoch):
        if epoch["number"] == 3:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        elegans.fit(model, SINE_X, SINE_Y, epochs=5, show_progress=False, on_epoch=fail)
    for name, value in wanted.parameters.items():
        np.testing.assert_array_equal(model.parameters[name], value)


def test_losses_that_are_not_finite():
    with pytest.raises(elegans.RuntimeError, match="not finite|nan"):
        elegans.fit(sine_model(), SINE_X, SINE_Y * np.nan, show_progress=False)


def test_other_threads_run_while_one_trains():
    model = sine_model()
    counted = 0
    trained = threading.Thread(
        target=lambda: elegans.fit(model, SINE_X, SINE_Y, epochs=2000, show_progress=False))
    trained.start()
    while trained.is_alive():
        assert np.isfinite(model(SINE_X)[0]).all()
        counted += 1
    assert counted > 10


def test_a_notebook_shows_progress(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    elegans.fit(sine_model(), SINE_X, SINE_Y, epochs=2, validation_data=(SINE_X, SINE_Y), metrics=["r2"])
    shown = capsys.readouterr().out
    assert re.search(r"\rEpoch 2/2 loss 0\.\d{6}, validation loss 0\.\d{6}, r2 -?\d\.\d{6}, "
                     r"validation r2 -?\d\.\d{6}$", shown)
    elegans.fit(sine_model(), SINE_X, SINE_Y, show_progress=False)
    assert capsys.readouterr().out == ""


def test_control_c():
    """Ctrl-C ends a training within a second, with the parameters of the last complete epoch."""
    program = """
import signal, sys, numpy as np, elegans
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background processes ignore it
model = elegans.LTC(elegans.wirings.AutoNCP(8, 1), 2)
before = model.parameters["rnn_cell.w"]
print("ready", flush=True)
try:
    elegans.fit(model, np.random.rand(4, 48, 2), np.random.rand(4, 48, 1), epochs=10**6)
except KeyboardInterrupt:
    after = model.parameters["rnn_cell.w"]
    print("changed" if (after != before).any() else "same", np.isfinite(after).all())
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(1)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    assert time.monotonic() - began < 5
    assert output == "changed True\n"


# --- the package -----------------------------------------------------------------------------------------------------

def test_importing_is_quick_and_leaves_torch_out():
    program = ("import numpy, sys, time; t = time.process_time(); import elegans; "
               "print(time.process_time() - t, 'torch' in sys.modules)")
    times = []
    for _ in range(3):
        seconds, has_torch = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                                            check=True).stdout.split()
        assert has_torch == "False"
        times.append(float(seconds))
    assert min(times) < 0.05


def test_another_build_can_be_chosen():
    def run(name):
        return subprocess.run([sys.executable, "-c", "import elegans; print(elegans.build)"], capture_output=True,
                              text=True, env={**os.environ, "ELEGANS_BUILD": name})

    assert run(elegans.build).stdout.strip() == elegans.build
    assert "this processor runs" in run("z80").stderr
