# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Models on numpy arrays: LTC, CfC, LSTM and GRU."""
from __future__ import annotations

import os
import pathlib
import tempfile
from typing import TYPE_CHECKING, Any, Iterator, Mapping

import numpy as np

from ._arrays import address, is_double, plain, refuse, strided
from ._native import native
from .training import History, fit
from .wirings import FullyConnected, Wiring, _is_wiring, _tables

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike

__all__ = ["Model", "LTC", "CfC", "LSTM", "GRU"]

_CLASSES: dict[str, type[Model]] = {}  # the class of each kind of network


def model_of(network: native.Network) -> Model:
    """The model of a network, in its class."""
    model: Model = object.__new__(_CLASSES[network.kind])
    model._take(network)
    return model


def _leaves(state: Any, sizes: Any, rows: tuple[int, ...], where: str = "hx") -> list[Any]:
    """The arrays of a state, one after the other; None for zeros.

    :param sizes: None for a layer without a state; the number of values in an array; or a tuple of sizes
    :param rows: (batch,), or () for a single sequence
    """
    if sizes is None:
        if state is not None:
            refuse(f"{where} must be None, since the layer has no state, got {type(state).__name__}")
        return []
    if isinstance(sizes, int):
        if state is None or np.shape(state) == (*rows, sizes):
            return [state]
        refuse(f"{where} must be {(*rows, sizes)}, got {np.shape(state)}")
    if state is None:
        state = [None] * len(sizes)
    if not hasattr(state, "__len__") or len(state) != len(sizes):
        refuse(f"{where} must be a tuple of {len(sizes)} states, got {type(state).__name__}"
               + (f" of {len(state)}" if hasattr(state, "__len__") else ""))
    return [leaf for k, size in enumerate(sizes) for leaf in _leaves(state[k], size, rows, f"{where}[{k}]")]


def _nested(leaves: Iterator[np.ndarray[Any, Any]], sizes: Any) -> Any:
    """The opposite of `_leaves`. `leaves` is an iterator."""
    if isinstance(sizes, tuple):
        return tuple(_nested(leaves, size) for size in sizes)
    return None if sizes is None else next(leaves)


def _flat(sizes: Any) -> list[int]:
    """The sizes of all arrays of a state."""
    if isinstance(sizes, tuple):
        return [size for part in sizes for size in _flat(part)]
    return [] if sizes is None else [sizes]


class Model:
    """What all models and layers have in common. To make one, call `LTC`, `CfC`, `LSTM`, `GRU`, `Dense`, `LayerNorm`,
    `Dropout`, `Sequential`, `Bidirectional` or `load`."""

    _kinds: tuple[str, ...] = ()  # of its networks

    def __init_subclass__(cls) -> None:
        _CLASSES.update((kind, cls) for kind in cls._kinds)

    def _take(self, network: native.Network) -> None:
        """Makes this the model of a network."""
        self._network = network

    @property
    def _state_sizes(self) -> Any:
        """See `_leaves`."""
        units = self._network.units
        return (units, units) if self._network.has_memory else units or None

    @property
    def kind(self) -> str:
        """The name of its class, with "Mixed" in front if it has a mixed memory: "LTC", "MixedCfC", "Dense"."""
        return self._network.kind

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32 or float64: of the parameters, and of all arrays that the model gives."""
        return np.dtype(np.float64 if self._network.is_double else np.float32)

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
    def parameters(self) -> dict[str, np.ndarray[Any, Any]]:
        """A copy of each tensor, by its name in ncps' `state_dict`."""
        tensors = {name: np.empty(shape, self.dtype) for name, shape in self._network.tensors}
        self._network.read_parameters([address(t) for t in tensors.values()])
        return tensors

    def set_parameters(self, tensors: Mapping[str, ArrayLike]) -> None:
        """Sets some tensors; the others stay.

        :param tensors: arrays by their names; names and shapes are those of `parameters`
        """
        now = self.parameters
        for name, value in tensors.items():
            if name not in now:
                refuse(f"set_parameters: there is no '{name}'; there are {', '.join(now)}")
            value = np.array(value, dtype=self.dtype, order="C")
            if value.shape != now[name].shape:
                refuse(f"set_parameters: {name} must be {now[name].shape}, got {value.shape}")
            now[name] = value
        self._network.write_parameters([address(t) for t in now.values()])

    def summary(self) -> str:
        """A table of layers and parameters, as Keras prints it."""
        return self._network.summary()

    def _sequences(self, x: ArrayLike, what: str = "x") -> np.ndarray[Any, Any]:
        """x as (batch, time, features)."""
        x = plain(x, self.dtype)
        x = x[None] if x.ndim == 2 else x
        if x.ndim != 3 or x.shape[2] != self.input_dim:
            refuse(f"{what} must be (batch, time, {self.input_dim}) or (time, {self.input_dim}), got {x.shape}")
        return x

    def _per_step(self, values: ArrayLike | None, shape: tuple[int, int], what: str,
                  dtype: DTypeLike) -> np.ndarray[Any, Any] | None:
        """Elapsed times or a mask: (batch, time), or (time) for all samples."""
        if values is None:
            return None
        values = np.asarray(values, dtype=dtype)
        values = values[None] if values.ndim == 1 else values
        if values.shape not in (shape, (1, shape[1])):
            refuse(f"{what} must be (batch, time) = {shape} or (time) = ({shape[1]},), got {values.shape}")
        return np.ascontiguousarray(np.broadcast_to(values, shape))

    def __call__(self, x: ArrayLike, hx: Any = None, timespans: ArrayLike | None = None,
                 mask: ArrayLike | None = None) -> tuple[np.ndarray[Any, Any], Any]:
        """Runs the network over a batch of sequences.

        :param x: (batch, time, input_dim), or (time, input_dim) for one sequence
        :param hx: initial state, zeros by default: (batch, units), or a pair (h, c) of them for an LSTM and with mixed
            memory; None for a layer without a state; for a stack a tuple with the state of each layer. Without batch if
            x is
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
        h, c = self._initial(_leaves(hx, self._state_sizes, (batch, ) if is_batched else ()), batch)
        y = np.empty((batch, steps if self.return_sequences else 1, self.output_dim), self.dtype)
        has_memory = self._network.has_memory
        final = [np.empty((batch, self._network.units), self.dtype) for _ in range(2 if has_memory else 1)]
        span = (0, 0, 0, 0) if spans is None else (address(spans), 1, steps, 0)
        self._network.forward([], steps, batch, strided(x), address(h), address(c), span, address(exists), strided(y),
                              address(final[0]), address(final[1] if has_memory else None), False, 0)
        y = y if self.return_sequences else y[:, 0]
        final = self._parts(final)
        if not is_batched:
            y, final = y[0], [part[0] for part in final]
        return y, _nested(iter(final), self._state_sizes)

    def _initial(self, leaves: list[Any],
                 batch: int) -> tuple[np.ndarray[Any, Any] | None, np.ndarray[Any, Any] | None]:
        """The arrays h and c of the network, None for zeros."""
        given = [None if leaf is None else np.ascontiguousarray(leaf, self.dtype) for leaf in leaves]
        h, c = (*given, None, None)[:2]
        return h, c

    def _parts(self, final: list[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
        """The arrays of the final state, from the network's h and c."""
        return final

    def fit(self, x: ArrayLike, y: ArrayLike, **options: Any) -> History:
        """See `elegans.fit`."""
        return fit(self, x, y, **options)

    def save(self, path: str | os.PathLike[str], prefix: str = "") -> None:
        """See `elegans.save`."""
        self._network.save(os.fspath(path), prefix)

    def __getstate__(self) -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "model.safetensors")
            self.save(path)
            return {"file": path.read_bytes(), "wiring": getattr(self, "wiring", None), "dtype": self.dtype.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "model.safetensors")
            path.write_bytes(state["file"])
            self._take(native.load(str(path), state["dtype"], *[None] * 8))
        if state["wiring"] is not None:
            self.wiring = state["wiring"]

    def __repr__(self) -> str:
        return f"{self.kind}(input_dim={self.input_dim}, output_dim={self.output_dim}, {self.dtype})"


class _Recurrent(Model):
    """A layer of neurons."""

    @property
    def units(self) -> int:
        """Number of neurons."""
        return self._network.units

    def __repr__(self) -> str:
        return (f"{self.kind}(units={self.units}, input_dim={self.input_dim}, output_dim={self.output_dim}, "
                f"{self.dtype})")


class _Liquid(_Recurrent):
    """What LTC and CfC have in common."""

    wiring: Any  # of elegans.wirings or ncps.wirings; None for a CfC without

    def _take(self, network: native.Network) -> None:
        super()._take(network)
        self.wiring = None
        tables = network.wiring_tables
        if tables is not None:
            inner, sensory, outputs, types, layers = tables
            self.wiring = Wiring(len(inner), outputs)
            self.wiring.build(len(sensory))
            self.wiring.adjacency_matrix[:], self.wiring.sensory_adjacency_matrix[:] = inner, sensory
            self.wiring._types, self.wiring._layers = types, layers

    @property
    def mixed_memory(self) -> bool:
        """Whether an LSTM carries memory beside the network."""
        return self._network.has_memory


class LTC(_Liquid):
    """A liquid time-constant network. Hasani et al., AAAI 2021.

        >>> model = elegans.LTC(elegans.wirings.AutoNCP(8, 1), 2)
        >>> y, state = model(np.zeros((3, 48, 2)))          # (3, 48, 1) and (3, 8)

    :param wiring: a wiring of `elegans.wirings` or `ncps.wirings`, or a number of fully-connected neurons
    :param input_dim: number of inputs
    :param mixed_memory: whether an LSTM carries memory beside the network; the state is then a pair (h, c)
    :param input_mapping: of each input by itself: "affine", "linear" or None
    :param output_mapping: of each motor neuron by itself: "affine", "linear" or None
    :param solver: "semi_implicit", "explicit_euler", "heun" or "runge_kutta"
    :param ode_unfolds: sub-steps of the solver in a step
    :param epsilon: added to the denominator of the solver
    :param implicit_param_constraints: True keeps w, sensory_w, cm and gleak positive by softplus; False by clipping
        them at 0 after each step of the optimizer
    :param return_sequences: False for the outputs of the last step only
    :param seed: of the initial values, which are those of `torch.manual_seed(seed)` and ncps
    :param dtype: "float32" or "float64": of the parameters, and of the arrays that the model gives
    """

    _kinds = ("LTC", "MixedLTC")

    def __init__(self, wiring: Any, input_dim: int, *, mixed_memory: bool = False, input_mapping: str | None = "affine",
                 output_mapping: str | None = "affine", solver: str = "semi_implicit", ode_unfolds: int = 6,
                 epsilon: float = 1e-8, implicit_param_constraints: bool = False, return_sequences: bool = True,
                 seed: int = 1, dtype: DTypeLike = "float32"):
        wiring = wiring if _is_wiring(wiring) else FullyConnected(wiring)
        network = native.make_ltc(is_double(dtype), mixed_memory, _tables(wiring, input_dim), input_mapping or "none",
                                  output_mapping or "none", solver, ode_unfolds, epsilon, implicit_param_constraints,
                                  return_sequences, seed)
        self._take(network)
        self.wiring = wiring


class CfC(_Liquid):
    """A closed-form continuous-time network. Hasani et al., Nature Machine Intelligence 2022.

        >>> model = elegans.CfC(32, 4, proj_size=2)
        >>> y, state = model(np.zeros((3, 48, 4)))          # (3, 48, 2) and (3, 32)

    :param wiring_or_units: number of neurons, or a wiring, whose layers then make a block each, without a backbone
    :param input_dim: number of inputs
    :param mixed_memory: whether an LSTM carries memory beside the network; the state is then a pair (h, c)
    :param proj_size: outputs of a linear layer behind the network; None for none
    :param mode: "default", "pure" or "no_gate"
    :param activation: of the backbone: "lecun_tanh", "relu", "tanh", "gelu" or "silu"
    :param backbone_units: outputs of each of its layers
    :param backbone_layers: number of its layers; 0 for no backbone
    :param backbone_dropout: share of the outputs of its layers that training drops, in [0, 1)
    :param return_sequences: False for the outputs of the last step only
    :param seed: of the initial values, which are those of `torch.manual_seed(seed)` and ncps
    :param dtype: "float32" or "float64": of the parameters, and of the arrays that the model gives
    """

    _kinds = ("CfC", "MixedCfC")

    def __init__(self, wiring_or_units: Any, input_dim: int, *, mixed_memory: bool = False,
                 proj_size: int | None = None, mode: str = "default", activation: str = "lecun_tanh",
                 backbone_units: int = 128, backbone_layers: int = 1, backbone_dropout: float = 0.0,
                 return_sequences: bool = True, seed: int = 1, dtype: DTypeLike = "float32"):
        wiring = wiring_or_units if _is_wiring(wiring_or_units) else None
        network = native.make_cfc(is_double(dtype), mixed_memory, _tables(wiring, input_dim) if wiring else None,
                                  0 if wiring else wiring_or_units, input_dim, mode, activation, backbone_units,
                                  backbone_layers, backbone_dropout, proj_size or 0, return_sequences, seed)
        self._take(network)
        self.wiring = wiring


class LSTM(_Recurrent):
    """A long short-term memory, as `torch.nn.LSTM` of one layer, with its names and initial values. Elapsed times do
    not count. Hochreiter and Schmidhuber, Neural Computation 1997.

        >>> model = elegans.LSTM(32, 4)
        >>> y, (h, c) = model(np.zeros((3, 48, 4)))         # (3, 48, 32), and (3, 32) twice

    :param units: number of neurons, all of which are outputs
    :param input_dim: number of inputs
    :param return_sequences: False for the outputs of the last step only
    :param forget_bias: added to the initial bias of the forget gate; Keras has 1
    :param seed: of the initial values, which are those of `torch.manual_seed(seed)`
    :param dtype: "float32" or "float64": of the parameters, and of the arrays that the model gives
    """

    _kinds = ("LSTM", )

    def __init__(self, units: int, input_dim: int, *, return_sequences: bool = True, forget_bias: float = 0.0,
                 seed: int = 1, dtype: DTypeLike = "float32"):
        self._take(native.make_lstm(is_double(dtype), units, input_dim, return_sequences, forget_bias, seed))


class GRU(_Recurrent):
    """A gated recurrent unit, as `torch.nn.GRU` of one layer, with its names and initial values. Elapsed times do not
    count. Cho et al., EMNLP 2014.

        >>> model = elegans.GRU(32, 4)
        >>> y, state = model(np.zeros((3, 48, 4)))          # (3, 48, 32) and (3, 32)

    :param units: number of neurons, all of which are outputs
    :param input_dim: number of inputs
    :param return_sequences: False for the outputs of the last step only
    :param seed: of the initial values, which are those of `torch.manual_seed(seed)`
    :param dtype: "float32" or "float64": of the parameters, and of the arrays that the model gives
    """

    _kinds = ("GRU", )

    def __init__(self, units: int, input_dim: int, *, return_sequences: bool = True, seed: int = 1,
                 dtype: DTypeLike = "float32"):
        self._take(native.make_gru(is_double(dtype), units, input_dim, return_sequences, seed))
