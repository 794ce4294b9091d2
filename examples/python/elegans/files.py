# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Model files, and pictures of wirings."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ._arrays import refuse
from ._native import native
from .models import Model, model_of
from .wirings import _tables_of_built

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = ["save", "load", "draw"]


def save(model: Model, path: str | os.PathLike[str], prefix: str = "") -> None:
    """Writes a model file, whole or not at all: safetensors with the names of ncps' `state_dict`, and the options in
    its metadata.

    :param model: a model, layer or stack
    :param path: of the file; what was there before stays if anything fails
    :param prefix: name of the layer in the Python model that the file is for, with its dot: "0."
    """
    model._network.save(os.fspath(path), prefix)


def load(path: str | os.PathLike[str], *, dtype: DTypeLike = None, ode_unfolds: int | None = None,
         epsilon: float | None = None, implicit_param_constraints: bool | None = None, output_dim: int | None = None,
         mode: str | None = None, activation: str | None = None, return_sequences: bool | None = None,
         prefix: str | None = None) -> Model:
    """Reads a model file of elegans, or a `state_dict` of ncps that `safetensors` saved.

    The options are for files of ncps: they say what the tensors cannot tell. None means what the file says, or else
    ncps' default.

    :param path: of the file
    :param dtype: "float32" or "float64"; that of the file by default
    :param ode_unfolds: of an LTC; else 6
    :param epsilon: of an LTC; else 1e-8
    :param implicit_param_constraints: of an LTC; else True
    :param output_dim: outputs of an LTC without output mapping; else all neurons
    :param mode: of a CfC with two heads: "default" or "no_gate"
    :param activation: of a CfC's backbone; else "lecun_tanh"
    :param return_sequences: of a model that is no stack; else True
    :param prefix: beginning of the names of the model's tensors, to choose one of several models in a file
    """
    scalar = "" if dtype is None else np.dtype(dtype).name
    network = native.load(os.fspath(path), scalar, ode_unfolds, epsilon, implicit_param_constraints, output_dim, mode,
                          activation, return_sequences, prefix)
    return model_of(network)


def draw(wiring: Any, path: str | os.PathLike[str]) -> None:
    """Draws a wiring, or the wiring of a model, to a file: `.dot`, `.svg` or `.png`.

    :param wiring: of `elegans.wirings` or `ncps.wirings`, or an LTC, or a CfC that has a wiring
    :param path: of the file; its end says what it will be

    :raises ImportError: if the package was built without Graphviz
    """
    try:
        from . import _graph
    except ImportError as error:
        raise ImportError("elegans.draw: the package was built without Graphviz, or Graphviz is missing") from error
    wiring = getattr(wiring, "wiring", wiring)
    if wiring is None or not wiring.is_built():
        refuse("draw: needs a wiring whose number of inputs is known: call build(input_dim)")
    _graph.draw(_tables_of_built(wiring, wiring.input_dim), os.fspath(path))
