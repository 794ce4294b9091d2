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


def shake(layer, generator):
    """Moves every weight off its initial value."""
    for weight in layer.trainable_variables:
        value = np.asarray(weight)
        weight.assign(np.abs(value) * (1 + 0.1 * generator.random(value.shape)) * np.sign(value + 1e-9)
                      + 0.05 * generator.random(value.shape))


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
            np.savetxt(path("x.csv"), x[0], delimiter=",", fmt="%.9g")
            subprocess.run([os.path.join(build, "examples", "run_model"), path("m"), "--input", path("x.csv"),
                            "--output", path("y.csv"), "--precision", "float"], check=True)
            got = np.loadtxt(path("y.csv"), delimiter=",", ndmin=2).reshape(expected.shape)
            difference = np.abs(got - expected).max() / np.abs(expected).max()
            worst = max(worst, difference)
            assert difference < 1e-5, (name, difference)
            other = make()
            other(x)
            tensors_to_layer(load_file(path("m")), other)
            assert np.array_equal(np.asarray(other(x))[0], expected), name
        for refused in (CfC(6), CfC(AutoNCP(8, 1), mode="no_gate"), CfC(6, mode="pure", mixed_memory=True)):
            try:
                layer_to_tensors(refused)
            except SystemExit as error:
                assert "another function than PyTorch's" in str(error)
            else:
                raise AssertionError("not refused")
        convert = os.path.join(os.path.dirname(os.path.abspath(__file__)), "convert.py")
        model = keras.Sequential([keras.Input((None, 3)), CfC(5, mode="pure", return_sequences=True)])
        model.save(path("model.keras"))
        subprocess.run([sys.executable, convert, "keras-to-file", path("model.keras"), path("m")], check=True)
        subprocess.run([sys.executable, convert, "file-to-keras", path("m"), path("model.keras"), path("new.keras")],
                       check=True)
        again = keras.models.load_model(path("new.keras"))
        assert all(np.array_equal(np.asarray(a), np.asarray(b)) for a, b in zip(model.weights, again.weights))
    print(f"largest difference of an output in float: {worst:.1e}")


if __name__ == "__main__":
    main()
