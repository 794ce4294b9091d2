# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Layers without a state, and stacks of layers."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable

import numpy as np

from ._arrays import is_double, refuse
from ._native import native
from .models import Model, _flat, model_of

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

__all__ = ["Dense", "LayerNorm", "Dropout", "Sequential", "Bidirectional"]


class Dense(Model):
    """A dense layer, y = activation(W x + b) of each step: `torch.nn.Linear` with an activation.

        >>> y, _ = elegans.Dense(2, 4)(np.zeros((3, 48, 4)))    # (3, 48, 2)

    :param units: number of outputs
    :param input_dim: number of inputs
    :param activation: "linear", "lecun_tanh", "relu", "tanh", "gelu", "silu" or "sigmoid"
    :param seed: of the initial values, which are those of `torch.manual_seed(seed)`
    :param dtype: "float32" or "float64": of the parameters, and of the arrays that the model gives
    """

    _kinds = ("Dense", )

    def __init__(self, units: int, input_dim: int, *, activation: str = "linear", seed: int = 1,
                 dtype: DTypeLike = "float32"):
        self._take(native.make_dense(is_double(dtype), units, input_dim, activation, seed))


class LayerNorm(Model):
    """Layer normalization: brings the features of each step to mean 0 and variance 1, then scales and shifts them, as
    `torch.nn.LayerNorm`. Ba, Kiros and Hinton, 2016.

    :param features: number of inputs and of outputs
    :param epsilon: added to the variance
    :param dtype: "float32" or "float64": of the parameters, and of the arrays that the model gives
    """

    _kinds = ("LayerNorm", )

    def __init__(self, features: int, *, epsilon: float = 1e-5, dtype: DTypeLike = "float32"):
        self._take(native.make_layer_norm(is_double(dtype), features, epsilon))


class Dropout(Model):
    """Dropout: in `fit`, each value becomes 0 with the probability `share`, and the others are divided by 1 - share.
    A call of the model drops nothing. Srivastava et al., JMLR 2014; as `torch.nn.Dropout`.

    :param features: number of inputs and of outputs
    :param share: of the values that are dropped, in [0, 1)
    :param seed: of what is dropped. Two layers of one seed drop the same values: give each layer of a stack its own
    :param dtype: "float32" or "float64": of the parameters, and of the arrays that the model gives
    """

    _kinds = ("Dropout", )

    def __init__(self, features: int, *, share: float = 0.5, seed: int = 1, dtype: DTypeLike = "float32"):
        self._take(native.make_dropout(is_double(dtype), features, share, seed))


def _checked(layers: Iterable[Model], who: str) -> list[Model]:
    """The layers of a stack, all of one dtype."""
    layers = list(layers)
    for k, layer in enumerate(layers):
        if not isinstance(layer, Model):
            refuse(f"{who}: layer {k} must be a model of elegans, got {type(layer).__name__}")
        if layer.dtype != layers[0].dtype:
            refuse(f"{who}: all layers must have one dtype; layer 0 has {layers[0].dtype}, layer {k} {layer.dtype}")
    return layers


class _Stack(Model):
    """A model that is made of models."""

    def _take(self, network: native.Network) -> None:
        super()._take(network)
        self._sizes = tuple(layer._state_sizes for layer in self.layers)

    @property
    def _state_sizes(self) -> Any:
        return self._sizes

    @property
    def layers(self) -> list[Model]:
        """A copy of each layer, with the parameters that it has now."""
        return [model_of(network) for network in native.layers_of(self._network)]

    # The network has the states of all layers side by side in one h.

    def _initial(self, leaves: list[Any],
                 batch: int) -> tuple[np.ndarray[Any, Any] | None, np.ndarray[Any, Any] | None]:
        if all(leaf is None for leaf in leaves):
            return None, None
        sizes = _flat(self._sizes)
        given = [np.zeros((batch, size), self.dtype) if leaf is None else
                 np.asarray(leaf, self.dtype).reshape(batch, size) for leaf, size in zip(leaves, sizes)]
        return np.concatenate(given, axis=1), None

    def _parts(self, final: list[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
        return np.split(final[0], np.cumsum(_flat(self._sizes))[:-1], axis=1)

    def __repr__(self) -> str:
        return f"{self.kind}([{', '.join(repr(layer) for layer in self.layers)}])"


class Sequential(_Stack):
    """Layers one after the other.

        >>> model = elegans.Sequential([
        ...     elegans.LTC(elegans.wirings.AutoNCP(16, 4), 3),
        ...     elegans.LayerNorm(4),
        ...     elegans.Dense(2, 4),
        ... ])
        >>> y, (state, _, _) = model(np.zeros((5, 48, 3)))      # (5, 48, 2) and (5, 16)

    A stack has copies of the layers that it is made of. It is a model as they are: it runs, trains and saves, and may
    be a layer of another stack. Its parameters have the names that they would have in a `torch.nn.Sequential`:
    "0.rnn_cell.w", "1.weight". Every layer sees the elapsed times and the mask, up to the first one without
    `return_sequences`; the layers behind that one see a single step.

    :param layers: models of one dtype; each has as many inputs as the one before it has outputs
    """

    _kinds = ("Sequential", )

    def __init__(self, layers: Iterable[Model]):
        self._take(native.make_sequential([layer._network for layer in _checked(layers, "Sequential")]))


class Bidirectional(_Stack):
    """Two layers side by side: one reads the sequence forwards, the other backwards. The outputs of each step are those
    of the forward layer, then those of the backward layer, as of `keras.layers.Bidirectional`.

        >>> model = elegans.Bidirectional(elegans.LTC(8, 3, seed=1), elegans.LTC(8, 3, seed=2))
        >>> y, (ahead, behind) = model(np.zeros((5, 48, 3)))    # (5, 48, 16), and (5, 8) twice

    Names of parameters begin with "forward_layer." and "backward_layer.". A stack has copies of its layers.

    :param forward_layer: a model
    :param backward_layer: a model of the same dtype, number of inputs and `return_sequences`
    """

    _kinds = ("Bidirectional", )

    def __init__(self, forward_layer: Model, backward_layer: Model):
        layers = _checked((forward_layer, backward_layer), "Bidirectional")
        self._take(native.make_bidirectional(*(layer._network for layer in layers)))
