# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""LTC and CfC networks on numpy arrays, and their training."""
from __future__ import annotations

import os
import pathlib
import sys
import tempfile
import time

import numpy as np

from ._native import native
from .wirings import FullyConnected, Wiring, _is_wiring, _tables, _tables_of_built

__all__ = ["LTC", "CfC", "History", "fit", "save", "load", "draw"]

_DTYPES = {"float32": False, "float64": True}


def _refuse(message):
    raise native.InvalidArgument(message)


def _address(array):
    return 0 if array is None else array.ctypes.data


def _strided(array):
    """Address and strides of a (batch, time, features) array, in values."""
    if array is None:
        return (0, 0, 0, 0)
    batch, steps, features = (stride // array.itemsize for stride in array.strides)
    return array.ctypes.data, steps, batch, features


def _in(array, dtype):
    """An array of that dtype whose strides are whole numbers of values, and not negative."""
    array = np.asarray(array, dtype=dtype)
    is_plain = array.flags.aligned and all(s >= 0 and s % array.itemsize == 0 for s in array.strides)
    return array if is_plain else array.copy()


class _Model:
    """What LTC and CfC have in common."""

    def __init__(self, network, wiring, mixed_memory):
        self._network = network
        self.wiring = wiring
        self.mixed_memory = mixed_memory

    @property
    def kind(self) -> str:
        """"LTC", "CfC", "MixedLTC" or "MixedCfC"."""
        return self._network.kind

    @property
    def dtype(self) -> np.dtype:
        """float32 or float64: of the parameters, and of all arrays that the model gives."""
        return np.dtype(np.float64 if self._network.is_double else np.float32)

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self._network.units

    @property
    def input_dim(self) -> int:
        """Number of inputs."""
        return self._network.input_dim

    @property
    def output_dim(self) -> int:
        """Number of outputs."""
        return self._network.output_dim

    @property
    def return_sequences(self) -> bool:
        """Whether the model gives the outputs of all steps, or of the last one."""
        return self._network.return_sequences

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """A copy of each tensor, by its name in ncps' `state_dict`."""
        tensors = {name: np.empty(shape, self.dtype) for name, shape in self._network.tensors}
        self._network.read_parameters([_address(t) for t in tensors.values()])
        return tensors

    def set_parameters(self, tensors: dict[str, np.ndarray]) -> None:
        """Sets some tensors; the others stay. The names and shapes are those of `parameters`."""
        now = self.parameters
        for name, value in tensors.items():
            if name not in now:
                _refuse(f"set_parameters: there is no '{name}'; there are {', '.join(now)}")
            value = np.array(value, dtype=self.dtype, order="C")
            if value.shape != now[name].shape:
                _refuse(f"set_parameters: {name} must be {now[name].shape}, got {value.shape}")
            now[name] = value
        self._network.write_parameters([_address(t) for t in now.values()])

    def summary(self) -> str:
        """A table of layers and parameters, as Keras prints it."""
        return self._network.summary()

    def _sequences(self, x, what="x"):
        """x as (batch, time, features)."""
        x = _in(x, self.dtype)
        x = x[None] if x.ndim == 2 else x
        if x.ndim != 3 or x.shape[2] != self.input_dim:
            _refuse(f"{what} must be (batch, time, {self.input_dim}) or (time, {self.input_dim}), got {x.shape}")
        return x

    def _per_step(self, values, shape, what, dtype):
        """Elapsed times or a mask: (batch, time), or (time) for all samples."""
        if values is None:
            return None
        values = np.asarray(values, dtype=dtype)
        values = values[None] if values.ndim == 1 else values
        if values.shape not in (shape, (1, shape[1])):
            _refuse(f"{what} must be (batch, time) = {shape} or (time) = ({shape[1]},), got {values.shape}")
        return np.ascontiguousarray(np.broadcast_to(values, shape))

    def __call__(self, x, hx=None, timespans=None, mask=None):
        """Runs the network over a batch of sequences.

        :param x: (batch, time, input_dim), or (time, input_dim) for one sequence
        :param hx: initial state: (batch, units), or a pair of them with mixed memory; without batch if x is. Zeros by
            default
        :param timespans: elapsed time of each step, (batch, time) or (time); 1 by default
        :param mask: (batch, time) or (time); false where a step does not exist and leaves the state as it is
        :return: the outputs, (batch, time, output_dim), or (batch, output_dim) of the last step without
            `return_sequences`; and the final state, as `hx`. Without batch if x is
        :raises elegans.InvalidArgument: if a shape is wrong, or an elapsed time is negative or not finite
        """
        is_batched = np.ndim(x) == 3
        x = self._sequences(x)
        batch, steps = x.shape[:2]
        spans = self._per_step(timespans, (batch, steps), "timespans", self.dtype)
        exists = self._per_step(mask, (batch, steps), "mask", bool)
        exists = None if exists is None else np.ascontiguousarray(exists.T)
        states = (None, None)
        if hx is not None:
            given = tuple(hx) if self.mixed_memory else (hx, )
            wanted = (batch, self.units) if is_batched else (self.units, )
            if self.mixed_memory and len(given) != 2:
                _refuse("with mixed_memory=True, hx must be a pair (h, c)")
            given = [np.ascontiguousarray(h, dtype=self.dtype) for h in given]
            for h in given:
                if h.shape != wanted:
                    _refuse(f"hx must be {wanted}, got {h.shape}")
            states = (*given, None)[:2]
        y = np.empty((batch, steps if self.return_sequences else 1, self.output_dim), self.dtype)
        final = [np.empty((batch, self.units), self.dtype) for _ in range(2 if self.mixed_memory else 1)]
        span = (0, 0, 0, 0) if spans is None else (_address(spans), 1, steps, 0)
        self._network.forward([], steps, batch, _strided(x), _address(states[0]), _address(states[1]), span,
                              _address(exists), _strided(y), _address(final[0]),
                              _address(final[1] if self.mixed_memory else None), False, 0)
        y = y if self.return_sequences else y[:, 0]
        if not is_batched:
            y, final = y[0], [h[0] for h in final]
        return y, tuple(final) if self.mixed_memory else final[0]

    def fit(self, x, y, **options) -> History:
        """See `elegans.fit`."""
        return fit(self, x, y, **options)

    def save(self, path) -> None:
        """See `elegans.save`."""
        save(self, path)

    def __getstate__(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "model.safetensors")
            save(self, path)
            return {"file": path.read_bytes(), "wiring": self.wiring, "dtype": self.dtype.name}

    def __setstate__(self, state):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "model.safetensors")
            path.write_bytes(state["file"])
            network = native.load(str(path), state["dtype"], *[None] * 8)
        _Model.__init__(self, network, state["wiring"], network.has_memory)

    def __repr__(self):
        return (f"{self.kind}(units={self.units}, input_dim={self.input_dim}, output_dim={self.output_dim}, "
                f"{self.dtype})")


def _is_double(dtype):
    name = np.dtype(dtype).name
    if name not in _DTYPES:
        _refuse(f"dtype must be float32 or float64, got {name}")
    return _DTYPES[name]


class LTC(_Model):
    """A liquid time-constant network. Hasani et al., AAAI 2021.

        >>> model = elegans.LTC(elegans.wirings.AutoNCP(8, 1), 2)
        >>> y, state = model(np.zeros((3, 48, 2)))          # (3, 48, 1) and (3, 8)

    :param wiring: a wiring of `elegans.wirings` or `ncps.wirings`, or a number of fully-connected neurons
    :param input_dim: number of inputs
    :param solver: "semi_implicit", "explicit_euler", "heun" or "runge_kutta"
    :param implicit_param_constraints: True keeps w, sensory_w, cm and gleak positive by softplus; False by clipping
        them at 0 after each step of the optimizer
    :param seed: of the initial values, which are those of `torch.manual_seed(seed)` and ncps
    """

    def __init__(self, wiring, input_dim: int, *, mixed_memory: bool = False, input_mapping: str | None = "affine",
                 output_mapping: str | None = "affine", solver: str = "semi_implicit", ode_unfolds: int = 6,
                 epsilon: float = 1e-8, implicit_param_constraints: bool = False, return_sequences: bool = True,
                 seed: int = 1, dtype="float32"):
        wiring = wiring if _is_wiring(wiring) else FullyConnected(wiring)
        network = native.make_ltc(_is_double(dtype), mixed_memory, _tables(wiring, input_dim), input_mapping or "none",
                                  output_mapping or "none", solver, ode_unfolds, epsilon, implicit_param_constraints,
                                  return_sequences, seed)
        super().__init__(network, wiring, mixed_memory)


class CfC(_Model):
    """A closed-form continuous-time network. Hasani et al., Nature Machine Intelligence 2022.

        >>> model = elegans.CfC(32, 4, proj_size=2)
        >>> y, state = model(np.zeros((3, 48, 4)))          # (3, 48, 2) and (3, 32)

    :param wiring_or_units: number of neurons, or a wiring, whose layers then make a block each, without a backbone
    :param input_dim: number of inputs
    :param proj_size: outputs of a linear layer behind the network; None for none
    :param mode: "default", "pure" or "no_gate"
    :param activation: of the backbone: "lecun_tanh", "relu", "tanh", "gelu" or "silu"
    :param seed: of the initial values, which are those of `torch.manual_seed(seed)` and ncps
    """

    def __init__(self, wiring_or_units, input_dim: int, *, mixed_memory: bool = False, proj_size: int | None = None,
                 mode: str = "default", activation: str = "lecun_tanh", backbone_units: int = 128,
                 backbone_layers: int = 1, backbone_dropout: float = 0.0, return_sequences: bool = True, seed: int = 1,
                 dtype="float32"):
        wiring = wiring_or_units if _is_wiring(wiring_or_units) else None
        network = native.make_cfc(_is_double(dtype), mixed_memory, _tables(wiring, input_dim) if wiring else None,
                                  0 if wiring else wiring_or_units, input_dim, mode, activation, backbone_units,
                                  backbone_layers, backbone_dropout, proj_size or 0, return_sequences, seed)
        super().__init__(network, wiring, mixed_memory)


class History(dict):
    """The course of a training: lists with one value per epoch under "loss", "validation_loss" (empty without
    validation data) and "learning_rate"; "best_epoch", from 1 on; "stopped_by": "all epochs", "callback" or "early
    stopping"."""


def _data(model, x, y, timespans, mask, sample_weight, what):
    x = model._sequences(x, f"{what}x")
    samples, steps = x.shape[:2]
    y = _in(y, model.dtype)
    y = y[None] if y.ndim == 2 and samples == 1 else y
    if y.ndim == 2:
        y = y[:, None]  # the last output of each sample
    if y.ndim != 3 or len(y) != samples:
        _refuse(f"{what}y must be ({samples}, time, outputs) or ({samples}, outputs), got {np.shape(y)}")
    spans = model._per_step(timespans, (samples, steps), f"{what}timespans", model.dtype)
    exists = model._per_step(mask, (samples, steps), f"{what}mask", bool)
    exists = None if exists is None else np.ascontiguousarray(exists.T)
    weights = [] if sample_weight is None else [float(w) for w in sample_weight]
    arrays = ((steps, samples, y.shape[1], y.shape[2]), _strided(x), _strided(y),
              (0, 0, 0, 0) if spans is None else (_address(spans), 1, steps, 0), _address(exists), weights)
    return arrays, (x, y, spans, exists)  # the arrays must outlive the addresses


def _notebook_progress(then):
    """Prints a line as the progress bar of a terminal does, which a notebook does not show."""
    drawn = 0.0

    def on_epoch(epoch):
        nonlocal drawn
        now = time.monotonic()
        if now - drawn > 0.1 or epoch["number"] == epoch["of"]:
            drawn = now
            validation = f", validation loss {epoch['validation_loss']:.6f}" if "validation_loss" in epoch else ""
            print(f"\rEpoch {epoch['number']}/{epoch['of']} loss {epoch['loss']:.6f}{validation}", end="", flush=True)
        return None if then is None else then(epoch)

    return on_epoch


def fit(model: LTC | CfC, x, y, *, epochs: int = 1, batch_size: int = 0, learning_rate: float = 0.001,
        optimizer: str = "adam", loss: str = "mean_squared_error", delta: float = 1.0, optimizer_options=None,
        timespans=None, mask=None, sample_weight=None, validation_data=None, validation_split: float = 0.0,
        patience: int = 0, min_delta: float = 0.0, restore_best_weights: bool = False, schedule=None,
        clip_norm: float = 0.0, clip_value: float = 0.0, freeze=(), last_step: bool = False, bptt_steps: int = 0,
        stateful: bool = False, shuffle: bool = True, seed: int = 1, workers: int = 1, show_progress: bool = True,
        on_epoch=None) -> History:
    """Trains a model. The same seed gives the same run.

        >>> history = elegans.fit(model, x, y, epochs=400, learning_rate=0.01)

    Other threads run meanwhile, and may run the model too. Ctrl-C ends the training; after it, and after any other
    exception, the model has the parameters of the last complete epoch.

    :param x: (samples, time, input_dim), or (time, input_dim) for one sequence
    :param y: (samples, time, outputs), or (samples, outputs) for a model that gives its last output only
    :param epochs: passes over the data
    :param batch_size: samples per update; 0 for all at once
    :param optimizer: "adam", "adamw", "rmsprop" or "sgd"; `optimizer_options` is a dictionary of its other options
    :param loss: "mean_squared_error", "mean_absolute_error", "huber" (with `delta`), "binary_cross_entropy" or
        "softmax_cross_entropy"; the last two take logits
    :param timespans: elapsed time of each step, (samples, time) or (time); 1 by default
    :param mask: (samples, time) or (time); false where a step does not exist
    :param sample_weight: (samples), weight of each sample in the loss
    :param validation_data: a pair (x, y)
    :param validation_split: share of the samples, from the end, held back to validate
    :param patience: stops after so many epochs without a better loss; 0 for never
    :param schedule: function (epochs so far, epochs in all) -> factor of the learning rate
    :param clip_norm: largest norm of the gradient; 0 for none. `clip_value` is the largest derivative
    :param freeze: names or patterns of tensors that keep their values, as the library has them: "w", "sensory_*"
    :param last_step: compares the last step of each sample only
    :param bptt_steps: truncated BPTT: updates every so many steps; 0 for all steps
    :param workers: threads that a batch is spread over; the results are the same to the bit
    :param show_progress: shows a progress bar in a terminal or a notebook
    :param on_epoch: function of a dictionary with "number", "of", "loss", "validation_loss", "learning_rate",
        "is_best", called after each epoch; the training stops if it returns False
    :raises elegans.InvalidArgument: if a shape differs or an option is out of range
    :raises elegans.RuntimeError: if a loss or a parameter is not finite; the message says where
    """
    arrays, kept = _data(model, x, y, timespans, mask, sample_weight, "")
    validation, kept_validation = None, None
    if validation_data is not None:
        validation, kept_validation = _data(model, *validation_data, None, None, None, "validation ")
    if show_progress and "ipykernel" in sys.modules:
        on_epoch = _notebook_progress(on_epoch)
    options = {"epochs": epochs, "batch_size": batch_size, "shuffle": shuffle, "seed": seed,
               "validation_split": validation_split, "patience": patience, "min_delta": min_delta,
               "restore_best_weights": restore_best_weights, "clip_norm": clip_norm, "clip_value": clip_value,
               "freeze": list(freeze), "last_step": last_step, "bptt_steps": bptt_steps, "stateful": stateful,
               "show_progress": show_progress, "workers": workers}
    history = model._network.fit(arrays, validation, loss, delta, optimizer,
                                 {"learning_rate": learning_rate, **(optimizer_options or {})}, options, schedule,
                                 on_epoch)
    del kept, kept_validation
    return History(history)


def save(model: LTC | CfC, path, prefix: str = "") -> None:
    """Writes a model file, whole or not at all: safetensors with the names of ncps' `state_dict`, and the options in
    its metadata.

    :param prefix: name of the layer in the Python model that the file is for, with its dot: "0."
    """
    model._network.save(os.fspath(path), prefix)


def load(path, *, dtype=None, ode_unfolds: int | None = None, epsilon: float | None = None,
         implicit_param_constraints: bool | None = None, output_dim: int | None = None, mode: str | None = None,
         activation: str | None = None, return_sequences: bool | None = None, prefix: str | None = None) -> LTC | CfC:
    """Reads a model file of elegans, or a `state_dict` of ncps that `safetensors` saved.

    The options are for files of ncps: they say what the tensors cannot tell. None means what the file says, or else
    ncps' default.

    :param dtype: "float32" or "float64"; that of the file by default
    :param prefix: beginning of the names of the model's tensors, to choose one of several models in a file
    """
    scalar = "" if dtype is None else np.dtype(dtype).name
    network = native.load(os.fspath(path), scalar, ode_unfolds, epsilon, implicit_param_constraints, output_dim, mode,
                          activation, return_sequences, prefix)
    model = object.__new__(LTC if network.kind.endswith("LTC") else CfC)
    wiring = None
    if network.wiring_tables is not None:
        inner, sensory, outputs, types, layers = network.wiring_tables
        wiring = Wiring(len(inner), outputs)
        wiring.build(len(sensory))
        wiring.adjacency_matrix[:], wiring.sensory_adjacency_matrix[:] = inner, sensory
        wiring._types, wiring._layers = types, layers
    _Model.__init__(model, network, wiring, network.has_memory)
    return model


def draw(wiring, path) -> None:
    """Draws a wiring, or the wiring of a model, to a file: `.dot`, `.svg` or `.png`.

    :raises ImportError: if the package was built without Graphviz
    """
    try:
        from . import _graph
    except ImportError as error:
        raise ImportError("elegans.draw: the package was built without Graphviz, or Graphviz is missing") from error
    wiring = getattr(wiring, "wiring", wiring)
    if wiring is None or not wiring.is_built():
        _refuse("draw: needs a wiring whose number of inputs is known: call build(input_dim)")
    _graph.draw(_tables_of_built(wiring, wiring.input_dim), os.fspath(path))
