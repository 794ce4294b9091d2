# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Neural circuit policies, fast: LTC and CfC networks, and stacks of layers, on numpy arrays.

    import elegans

    model = elegans.LTC(elegans.wirings.AutoNCP(8, 1), 2)
    history = elegans.fit(model, x, y, epochs=400, learning_rate=0.01)
    y, state = model(x)
    elegans.save(model, "model.safetensors")

`elegans.torch` has the same networks as PyTorch modules, in place of those of `ncps.torch`.
"""
from . import wirings
from ._native import build, native as _native
from .files import draw, load, save
from .layers import Bidirectional, Dense, Dropout, LayerNorm, Sequential
from .models import CfC, GRU, LSTM, LTC, Model
from .training import History, fit

InvalidArgument = _native.InvalidArgument
RuntimeError = _native.RuntimeError

__all__ = ["LTC", "CfC", "LSTM", "GRU", "Dense", "LayerNorm", "Dropout", "Sequential", "Bidirectional", "Model",
           "History", "fit", "save", "load", "draw", "wirings", "InvalidArgument", "RuntimeError", "build"]
