#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""convert.py on Keras models: their outputs, and run_model's for the converted file; then back into Keras.

    KERAS_BACKEND=jax keras_test.py BUILD

Needs keras with a backend, ncps 1.0.1 and safetensors. Keras computes in float.
"""
import os
import subprocess
import sys
import tempfile

import keras
import numpy as np
from ncps.keras import LTC, CfC
from ncps.wirings import AutoNCP, FullyConnected
from safetensors.numpy import load_file, save_file

from convert import layer_to_tensors, metadata, tensors_to_layer


def cases():
    yield "ltc", lambda: LTC(AutoNCP(8, 1), return_sequences=True)
    yield "ltc_dense", lambda: LTC(FullyConnected(6, 2), ode_unfolds=3, return_sequences=True)
    yield "cfc_pure", lambda: CfC(6, mode="pure", return_sequences=True)
    yield "cfc_pure_deep", lambda: CfC(6, mode="pure", backbone_units=5, backbone_layers=3, activation="relu",
                                       return_sequences=True)
    yield "cfc_wired_pure", lambda: CfC(AutoNCP(12, 2), mode="pure", return_sequences=True)


def stacks():
    layers = keras.layers

    def stack(*own):
        return keras.Sequential([keras.Input((None, 3)), *own])

    yield "ltc_dense", lambda: stack(LTC(AutoNCP(8, 2), return_sequences=True), layers.Dense(1))
    yield "last_output", lambda: stack(layers.Dense(4, activation="tanh"), LTC(AutoNCP(8, 2)), layers.Dense(2))
    yield "norm_dropout_cfc", lambda: stack(
        layers.Dense(4, activation="silu"), layers.LayerNormalization(epsilon=0.01), layers.Dropout(0.25),
        CfC(5, mode="pure", backbone_units=6, return_sequences=True), CfC(AutoNCP(9, 2), mode="pure"))
    yield "nested", lambda: stack(
        keras.Sequential([keras.Input((None, 3)), layers.Dense(9, activation="relu"), layers.Dropout(0.5),
                          layers.Dense(4, activation="gelu")]),
        layers.Bidirectional(LTC(AutoNCP(8, 2), return_sequences=True)), layers.Dense(3, activation="sigmoid"),
        layers.Bidirectional(CfC(4, mode="pure", backbone_layers=0)), layers.Dense(1))


def convert(*words):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "convert.py")
    return subprocess.run([sys.executable, script, *words], capture_output=True, text=True)


def converted(*words):
    done = convert(*words)
    assert done.returncode == 0, done.stderr


def shake(layer, generator):
    """Moves every weight off its initial value."""
    for weight in layer.trainable_variables:
        value = np.asarray(weight)
        weight.assign(np.abs(value) * (1 + 0.1 * generator.random(value.shape)) * np.sign(value + 1e-9)
                      + 0.05 * generator.random(value.shape))


def difference_of_ours(build, folder, x, expected, name):
    """How far run_model's outputs with the model file `m` are from Keras', at most."""
    path = lambda name: os.path.join(folder, name)
    np.savetxt(path("x.csv"), x, delimiter=",", fmt="%.9g")
    subprocess.run([os.path.join(build, "examples", "run_model"), path("m"), "--input", path("x.csv"),
                    "--output", path("y.csv"), "--precision", "float"], check=True)
    got = np.loadtxt(path("y.csv"), delimiter=",", ndmin=2).reshape(expected.shape)
    difference = np.abs(got - expected).max() / np.abs(expected).max()
    assert difference < 1e-5, (name, difference)
    return difference


def main():
    build = sys.argv[1]
    worst = 0
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        for name, make in cases():
            generator = np.random.default_rng(1)
            x = generator.random((1, 10, 3)).astype(np.float32)
            layer = make()
            layer(x)
            shake(layer, generator)
            expected = np.asarray(layer(x))[0]
            save_file(layer_to_tensors(layer), path("m"), metadata(layer))
            worst = max(worst, difference_of_ours(build, folder, x[0], expected, name))
            other = make()
            other(x)
            tensors_to_layer(load_file(path("m")), other)
            assert np.array_equal(np.asarray(other(x))[0], expected), name
        # Stacks, from Keras' files and back. Theirs, ours and theirs again have the same weights and outputs.
        for name, make in stacks():
            generator = np.random.default_rng(2)
            model, blank = make(), make()
            shake(model, generator)
            x = generator.random((1, 10, 3)).astype(np.float32)
            expected = np.asarray(model(x)).reshape(-1, model.output_shape[-1])
            model.save(path("model.keras"))
            blank.save(path("blank.keras"))
            converted("keras-to-file", path("model.keras"), path("m"))
            worst = max(worst, difference_of_ours(build, folder, x[0], expected, name))
            # Our program writes the file anew, with its own metadata.
            subprocess.run([os.path.join(build, "tests", "elegans_interop_train"), path("m"), path("ours"),
                            "--precision", "float"], check=True)
            converted("file-to-keras", path("ours"), path("blank.keras"), path("new.keras"))
            again = keras.models.load_model(path("new.keras"))
            assert all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(model.weights, again.weights)), name
            assert np.array_equal(np.asarray(again(x)), np.asarray(model(x))), name

        for refused, text in (
                (CfC(6), "another function than PyTorch's"),
                (CfC(AutoNCP(8, 1), mode="no_gate"), "another function than PyTorch's"),
                (CfC(6, mode="pure", mixed_memory=True), "another function than PyTorch's"),
                (keras.layers.Dense(2, use_bias=False), "must have a bias"),
                (keras.layers.SimpleRNN(2), "is none of LTC, CfC, Dense"),
                (keras.layers.Bidirectional(LTC(AutoNCP(8, 1)), merge_mode="sum"), "merge_mode='concat'")):
            try:
                layer_to_tensors(refused)
            except SystemExit as error:
                assert text in str(error), error
            else:
                raise AssertionError("not refused")

        def refused_with(text, *words):
            done = convert(*words)
            assert done.returncode == 1 and text in done.stderr, done.stderr
            assert "Traceback" not in done.stderr

        model = keras.Sequential([keras.Input((None, 3)), CfC(5, mode="pure", return_sequences=True)])
        model.save(path("model.keras"))
        converted("keras-to-file", path("model.keras"), path("m"))
        converted("file-to-keras", path("m"), path("model.keras"), path("new.keras"))
        again = keras.models.load_model(path("new.keras"))
        assert all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(model.weights, again.weights))
        refused_with("has no layer called head", "keras-to-file", path("model.keras"), path("no"), "--layer", "head")
        stack = keras.Sequential([keras.Input((None, 3)), LTC(AutoNCP(8, 2), name="body"),
                                  keras.layers.Dense(1, activation="softplus")])
        stack.save(path("stack.keras"))
        refused_with("got softplus", "keras-to-file", path("stack.keras"), path("no"))
        converted("keras-to-file", path("stack.keras"), path("body"), "--layer", "body")
        refused_with("these tensors are not in both", "file-to-keras", path("body"), path("stack.keras"), path("no"))
        inputs = keras.Input((None, 3))
        keras.Model(inputs, LTC(AutoNCP(8, 2))(inputs)).save(path("functional.keras"))
        refused_with("choose a layer with --layer", "keras-to-file", path("functional.keras"), path("no"))
        assert not os.path.exists(path("no"))
    print(f"largest difference of an output in float: {worst:.1e}")


if __name__ == "__main__":
    main()
