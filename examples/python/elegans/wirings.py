# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Wirings: which neuron feeds which, and with what polarity.

The classes have the names, arguments and matrices of `ncps.wirings`, to the bit. Every model of this package also takes
ncps' own wiring objects, and any object with their attributes.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from ._native import native

__all__ = ["Wiring", "FullyConnected", "Random", "NCP", "AutoNCP"]


class Wiring:
    """A wiring without synapses, to fill by hand.

    Neurons 0 ... output_dim - 1 are the motor neurons. `adjacency_matrix` is (units, units), `sensory_adjacency_matrix`
    (input_dim, units): [source, destination], entries -1 (inhibitory), 0 (no synapse) and 1 (excitatory).
    """

    def __init__(self, units: int, output_dim: int | None = None):
        self.units = int(units)
        self.output_dim = self.units if output_dim is None else int(output_dim)
        self.input_dim: int | None = None
        self.adjacency_matrix: np.ndarray[Any, Any] = np.zeros((self.units, self.units), dtype=np.int32)
        self.sensory_adjacency_matrix: Any = None  # until build
        self._layers = [0] * self.units
        self._types: list[str] | None = None

    def is_built(self) -> bool:
        """Whether the number of inputs is known."""
        return self.input_dim is not None

    def build(self, input_dim: int) -> None:
        """Sets the number of inputs to `input_dim`. Models call it; a second call with the same number does nothing."""
        if self.is_built():
            if input_dim != self.input_dim:
                raise native.InvalidArgument(
                    f"wiring: already built for input_dim {self.input_dim}, cannot build for {input_dim}")
            return
        self._set_inputs(int(input_dim))

    def _set_inputs(self, input_dim: int) -> None:
        if input_dim < 1:
            raise native.InvalidArgument(f"wiring: input_dim must be at least 1, got {input_dim}")
        self.input_dim = input_dim
        self.sensory_adjacency_matrix = np.zeros((input_dim, self.units), dtype=np.int32)

    def add_synapse(self, src: int, dest: int, polarity: int) -> None:
        """Adds a synapse from the neuron `src` to `dest`, of polarity -1 or 1, or changes its polarity."""
        self._check(src, self.units, dest, polarity)
        self.adjacency_matrix[src, dest] = polarity

    def add_sensory_synapse(self, src: int, dest: int, polarity: int) -> None:
        """Adds a synapse from the input `src` to the neuron `dest`, of polarity -1 or 1. The wiring must be built."""
        if not self.is_built():
            raise native.InvalidArgument("wiring: add_sensory_synapse needs the number of inputs: call build first")
        self._check(src, int(self.input_dim or 0), dest, polarity)
        self.sensory_adjacency_matrix[src, dest] = polarity

    def _check(self, source: int, sources: int, destination: int, polarity: int) -> None:
        if not (0 <= source < sources and 0 <= destination < self.units):
            raise native.InvalidArgument(f"wiring: a synapse must lead from [0, {sources - 1}] to "
                                         f"[0, {self.units - 1}], got {source} to {destination}")
        if polarity not in (-1, 1):
            raise native.InvalidArgument(f"wiring: polarity must be -1 or 1, got {polarity}")

    @property
    def num_layers(self) -> int:
        """Number of layers of neurons."""
        return max(self._layers) + 1

    def get_neurons_of_layer(self, layer_id: int) -> list[int]:
        """The neurons of the layer `layer_id`, in rising order; the layer next to the inputs is 0."""
        return [i for i, layer in enumerate(self._layers) if layer == layer_id]

    def get_type_of_neuron(self, neuron_id: int) -> str:
        """What the neuron `neuron_id` is: 'motor', 'command' or 'inter'."""
        if self._types is not None:
            return self._types[neuron_id]
        return "motor" if neuron_id < self.output_dim else "inter"

    @property
    def synapse_count(self) -> int:
        """Number of synapses between neurons."""
        return int(np.abs(self.adjacency_matrix).sum())

    @property
    def sensory_synapse_count(self) -> int:
        """Number of synapses from the inputs."""
        return int(np.abs(self.sensory_adjacency_matrix).sum())

    def erev_initializer(self, shape: Any = None, dtype: Any = None) -> np.ndarray[Any, Any]:
        """Initial reversal potentials, (units, units): the polarities. `shape` and `dtype` change nothing."""
        return np.copy(self.adjacency_matrix)

    def sensory_erev_initializer(self, shape: Any = None, dtype: Any = None) -> np.ndarray[Any, Any]:
        """The same of the synapses from the inputs, (input_dim, units). `shape` and `dtype` change nothing."""
        return np.array(self.sensory_adjacency_matrix)

    def __repr__(self) -> str:
        return (f"{type(self).__name__}(units={self.units}, output_dim={self.output_dim}, input_dim={self.input_dim}, "
                f"{self.synapse_count} synapses)")


class _Drawn(Wiring):
    """A wiring that the library draws."""

    def __init__(self, draw: tuple[Any, ...]):
        self._draw = draw
        self._take(0)

    def _take(self, input_dim: int) -> None:
        name, *arguments = self._draw
        inner, sensory, output_dim, types, layers = getattr(native, name)(input_dim, *arguments)
        super().__init__(len(inner), output_dim)
        # The arrays are the library's, which numpy must not write to.
        self.adjacency_matrix = np.array(inner)
        self._types, self._layers = types, layers
        if input_dim:
            self.input_dim = input_dim
            self.sensory_adjacency_matrix = np.array(sensory)

    def _set_inputs(self, input_dim: int) -> None:
        if input_dim < 1:
            raise native.InvalidArgument(f"wiring: input_dim must be at least 1, got {input_dim}")
        before = self.adjacency_matrix
        self._take(0)
        by_hand = before != self.adjacency_matrix
        self._take(input_dim)
        self.adjacency_matrix[by_hand] = before[by_hand]


class FullyConnected(_Drawn):
    """Every neuron feeds every neuron. Polarities are drawn: +1 with probability 2/3.

    :param units: number of neurons
    :param output_dim: number of motor neurons, all by default
    :param erev_init_seed: of the polarities
    :param self_connections: whether a neuron feeds itself
    """

    def __init__(self, units: int, output_dim: int | None = None, erev_init_seed: int = 1111,
                 self_connections: bool = True):
        super().__init__(("fully_connected", units, units if output_dim is None else output_dim, erev_init_seed,
                          self_connections))


class Random(_Drawn):
    """Synapses at random.

    :param units: number of neurons
    :param output_dim: number of motor neurons, all by default
    :param sparsity_level: the fraction of synapses that is left out, in [0, 1)
    :param random_seed: of synapses and polarities
    """

    def __init__(self, units: int, output_dim: int | None = None, sparsity_level: float = 0.0, random_seed: int = 1111):
        super().__init__(("random", units, units if output_dim is None else output_dim, sparsity_level, random_seed))


class NCP(_Drawn):
    """A neural circuit policy: inputs feed inter neurons, these command neurons, and these motor neurons.

    Lechner et al., Nature Machine Intelligence 2020.

    :param inter_neurons: number of inter neurons, or of those of each layer
    :param command_neurons: number of command neurons
    :param motor_neurons: number of motor neurons, the outputs
    :param sensory_fanout: inter neurons that each input feeds
    :param inter_fanout: neurons of the next layer that each inter neuron feeds, or a list with a number per layer
    :param recurrent_command_synapses: synapses between command neurons
    :param motor_fanin: command neurons that feed each motor neuron
    :param seed: of synapses and polarities
    """

    def __init__(self, inter_neurons: int | list[int], command_neurons: int, motor_neurons: int, sensory_fanout: int,
                 inter_fanout: int | list[int], recurrent_command_synapses: int, motor_fanin: int, seed: int = 22222):
        super().__init__(("ncp", np.atleast_1d(inter_neurons).tolist(), command_neurons, motor_neurons, sensory_fanout,
                          np.atleast_1d(inter_fanout).tolist(), recurrent_command_synapses, motor_fanin, seed))


class AutoNCP(_Drawn):
    """An NCP whose layers and fan-outs follow from three numbers.

    :param units: number of neurons
    :param output_size: number of motor neurons, below units - 2
    :param sparsity_level: from 0.1, for many synapses, to 1
    :param seed: of synapses and polarities
    """

    def __init__(self, units: int, output_size: int, sparsity_level: float = 0.5, seed: int = 22222):
        super().__init__(("auto_ncp", units, output_size, sparsity_level, seed))


def _is_wiring(candidate: Any) -> bool:
    return hasattr(candidate, "adjacency_matrix") and hasattr(candidate, "build")


def _tables(wiring: Any, input_dim: int) -> Any:
    """Builds a wiring, ours or ncps', and takes it apart for the native module. The wiring may be any object with the
    attributes of `Wiring`."""
    # ncps' models build a wiring even if it is built. Some wirings then draw other polarities.
    wiring.build(input_dim)
    return _tables_of_built(wiring, input_dim)


def _tables_of_built(wiring: Any, input_dim: int) -> Any:
    units, output_dim = int(wiring.units), wiring.output_dim
    if output_dim is None:
        raise native.InvalidArgument("wiring: output_dim is None: call set_output_dim first")
    matrices = []
    for name, rows in (("adjacency_matrix", units), ("sensory_adjacency_matrix", input_dim)):
        matrix = np.asarray(getattr(wiring, name))
        if matrix.shape != (rows, units):
            raise native.InvalidArgument(f"wiring: {name} must be ({rows}, {units}), got {matrix.shape}")
        if not np.isin(matrix, (-1, 0, 1)).all():
            raise native.InvalidArgument(f"wiring: {name} must have entries -1, 0 and 1")
        matrices.append(np.ascontiguousarray(matrix, dtype=np.int32))
    layers = [0] * units
    for layer in range(int(wiring.num_layers)):
        for neuron in wiring.get_neurons_of_layer(layer):
            layers[int(neuron)] = layer
    types = [str(wiring.get_type_of_neuron(i)) for i in range(units)]
    return matrices[0], matrices[1], int(output_dim), types, layers
