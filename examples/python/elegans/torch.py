# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""LTC and CfC networks as PyTorch modules, in place of those of `ncps.torch`.

    from elegans.torch import LTC, CfC

Arguments, outputs, `hx`, `timespans`, the names of the `state_dict` and the initial values after `torch.manual_seed`
are those of ncps. The modules run on the CPU, in float or double. Gradients flow into inputs, states, elapsed times and
parameters, once: there are no second derivatives.
"""
from __future__ import annotations

import numpy as np
import torch
from torch import nn

from ._native import native
from .wirings import FullyConnected, _is_wiring, _tables

__all__ = ["LTC", "CfC"]

_NONE = (0, 0, 0, 0)


def _refuse(message):
    raise native.InvalidArgument(message)


def _address(tensor):
    return 0 if tensor is None else tensor.data_ptr()


def _sequence(tensor, batch_first):
    """Address and strides of a (batch, time, features) tensor, or (time, batch, features); of (batch, features) for one
    step."""
    strides = tensor.stride()
    if len(strides) == 2:
        return tensor.data_ptr(), 0, strides[0], strides[1]
    if batch_first:
        return tensor.data_ptr(), strides[1], strides[0], strides[2]
    return tensor.data_ptr(), *strides


def _times(tensor, batch_first):
    """The same for (batch, time) elapsed times, or (time, batch)."""
    if tensor is None:
        return _NONE
    first, second = tensor.stride()
    return (tensor.data_ptr(), second, first, 0) if batch_first else (tensor.data_ptr(), first, second, 0)


class _Call:
    """One forward pass: what the backward pass has to know besides tensors."""

    __slots__ = ("network", "batch_first", "time", "batch", "epoch", "has_tape", "tape")

    def __init__(self, network, batch_first, time, batch, epoch, has_tape):
        self.network, self.batch_first, self.epoch, self.has_tape = network, batch_first, epoch, has_tape
        self.time, self.batch, self.tape = time, batch, None

    def forward(self, x, h, c, timespans, parameters):
        network, units = self.network, self.network.units
        if not network.return_sequences:
            shape = (self.batch, network.output_dim)
        elif self.batch_first:
            shape = (self.batch, self.time, network.output_dim)
        else:
            shape = (self.time, self.batch, network.output_dim)
        y = x.new_empty(shape)
        final_h = x.new_empty((self.batch, units))
        final_c = x.new_empty((self.batch, units)) if network.has_memory else None
        self.tape = network.forward(
            [p.data_ptr() for p in parameters], self.time, self.batch, _sequence(x, self.batch_first), _address(h),
            _address(c), _times(timespans, self.batch_first), 0, _sequence(y, self.batch_first), final_h.data_ptr(),
            _address(final_c), self.has_tape, self.epoch)
        return (y, final_h) if final_c is None else (y, final_h, final_c)


class _Differentiable(torch.autograd.Function):
    @staticmethod
    def forward(ctx, call, x, h, c, timespans, *parameters):
        ctx.set_materialize_grads(False)
        outputs = call.forward(x, h, c, timespans, parameters)
        ctx.call = call
        ctx.like = [t if t is None else (t.shape, t.dtype) for t in (x, h, c, timespans)]
        # PyTorch then notices if a parameter changes in place before the backward pass.
        ctx.save_for_backward(*parameters)
        return outputs

    @staticmethod
    def backward(ctx, d_y, d_final_h, d_final_c=None):
        call, parameters = ctx.call, ctx.saved_tensors
        needed = ctx.needs_input_grad[1:]
        d_x, d_h, d_c, d_timespans = [
            torch.empty(like[0], dtype=like[1]) if wanted else None for like, wanted in zip(ctx.like, needed)]
        gradients = [torch.empty_like(p) if wanted else None for p, wanted in zip(parameters, needed[4:])]
        d_final = [d if d is None else d.contiguous() for d in (d_final_h, d_final_c)]
        batch_first = call.batch_first
        call.tape.backward(
            [p.data_ptr() for p in parameters], _NONE if d_y is None else _sequence(d_y, batch_first),
            _address(d_final[0]), _address(d_final[1]), _NONE if d_x is None else _sequence(d_x, batch_first),
            _address(d_h), _address(d_c), _times(d_timespans, batch_first), [_address(g) for g in gradients])
        results = (d_x, d_h, d_c, d_timespans, *gradients)
        if torch.is_grad_enabled():  # create_graph=True
            anchor = torch.empty(0, requires_grad=True)
            results = [d if d is None else _DifferentiatedOnce.apply(anchor, d) for d in results]
        return (None, *results)


class _DifferentiatedOnce(torch.autograd.Function):
    """A gradient that must not be differentiated again. Otherwise PyTorch would take it for a constant."""

    @staticmethod
    def forward(ctx, anchor, gradient):
        return gradient.view_as(gradient)

    @staticmethod
    def backward(ctx, *_):
        _refuse("elegans.torch has no second derivatives")


def _find(module, path):
    *parents, name = path
    for parent in parents:
        module = module._modules[parent]
    tensor = module._parameters.get(name)
    return getattr(module, name) if tensor is None else tensor


class _LSTMCell(nn.Module):
    """The tensors of the LSTM of a mixed memory."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_map = nn.Linear(input_size, 4 * hidden_size, bias=True)
        self.recurrent_map = nn.Linear(hidden_size, 4 * hidden_size, bias=False)
        for w in self.input_map.parameters():
            nn.init.uniform_(w, -0.1, 0.1) if w.dim() == 1 else nn.init.xavier_uniform_(w)
        nn.init.orthogonal_(self.recurrent_map.weight)


class _Layer(nn.Module):
    """A network of the native module over the parameters of a PyTorch module."""

    def __init__(self, input_size, return_sequences, batch_first, mixed_memory):
        super().__init__()
        self.input_size = input_size
        self.return_sequences = return_sequences
        self.batch_first = batch_first
        self.use_mixed = mixed_memory
        self._networks = {}

    # Networks hold no values of their own: they are made again when they are needed.
    def __getstate__(self):
        state = self.__dict__.copy()
        state["_networks"] = {}
        return state

    def _network(self, dtype):
        """The native network for parameters of this dtype, and the paths and shapes of its tensors."""
        is_double = dtype is torch.float64
        drops = self.training and self._dropout > 0
        masks = self._masks()
        for mask in masks:
            if mask.device.type != "cpu":
                _refuse(f"rnn_cell's sparsity_mask is on {mask.device}: elegans.torch runs on the CPU only")
        kept = self._networks.get((is_double, drops))
        if kept is None or not all(torch.equal(now, then) for now, then in zip(masks, kept[2])):
            copies = [mask.detach().clone() for mask in masks]
            values = [self._read_mask(mask) for mask in copies]
            network = named = self._make(values, is_double, self._dropout)
            if self._dropout > 0 and not drops:
                network = self._make(values, is_double, 0.0)  # the same tensors, but PyTorch's numbers count dropouts
            tensors = [(name.split("."), torch.Size(shape)) for name, shape in named.tensors]
            kept = self._networks[is_double, drops] = (network, tensors, copies, drops)
        return kept

    @staticmethod
    def _read_mask(mask):
        values = mask.numpy()
        if not np.isin(values, (0, 1)).all():
            _refuse("sparsity_mask must have entries 0 and 1")
        return values.astype(np.int32)

    def _parameters_of(self, tensors, dtype):
        parameters = []
        for path, shape in tensors:
            p = _find(self, path)
            if p.dtype is not dtype or p.shape != shape or p.device.type != "cpu" or not p.is_contiguous():
                if p.device.type != "cpu":
                    _refuse(f"{'.'.join(path)} is on {p.device}: elegans.torch runs on the CPU only")
                if p.dtype is not dtype:
                    _refuse(f"the input is {dtype}, but {'.'.join(path)} is {p.dtype}: they must have one dtype")
                if p.shape != shape:
                    _refuse(f"{'.'.join(path)} must be {tuple(shape)}, got {tuple(p.shape)}")
                p = p.contiguous()
            parameters.append(p)
        return parameters

    def _check(self, what, tensor, shape, dtype):
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"{what} must be a torch.Tensor, got {type(tensor).__name__}")
        if tensor.device.type != "cpu" or tensor.layout is not torch.strided:
            _refuse(f"{what} is {tensor.layout} on {tensor.device}: elegans.torch takes dense tensors on the CPU only")
        if tensor.dtype is not dtype:
            _refuse(f"{what} must be {dtype} as the input is, got {tensor.dtype}")
        if shape is not None and tensor.shape != shape:
            _refuse(f"{what} must be {tuple(shape)}, got {tuple(tensor.shape)}")
        return tensor

    def _check_timespans(self, timespans, shape):
        """Elapsed times in the shape of the first two dimensions of a batch of inputs."""
        batch_dim = 0 if self.batch_first else 1
        if timespans.dim() == 3 and timespans.shape[2] == 1:
            timespans = timespans.squeeze(2)
        shared = list(shape)
        shared[batch_dim] = 1
        if timespans.shape != shape and list(timespans.shape) != shared:
            order = "(batch, time)" if self.batch_first else "(time, batch)"
            _refuse(f"timespans must be {order} = {tuple(shape)} or {tuple(shared)}, got {tuple(timespans.shape)}")
        return timespans.expand(shape)

    def forward(self, input, hx=None, timespans=None):
        """Runs the network over a batch of sequences.

        :param input: (batch, time, features), (time, batch, features) if `batch_first` is False, or (time, features)
        :param hx: initial state: (batch, units), or a pair of them with mixed memory; without batch if the input is.
            Zeros by default
        :param timespans: elapsed time of each step: (batch, time), or (time, batch) if `batch_first` is False; may end
            with a dimension of 1; (time) for an input without batch. 1 by default
        :return: the outputs, (batch, time, outputs) or as the input is; (batch, outputs) without `return_sequences`;
            and the final state, as `hx`
        :raises elegans.InvalidArgument: if a shape, dtype or device is wrong, or an elapsed time is negative or not
            finite. It is a ValueError and a RuntimeError
        """
        if not isinstance(input, torch.Tensor):
            raise TypeError(f"input must be a torch.Tensor, got {type(input).__name__}")
        dtype = input.dtype
        if dtype is not torch.float32 and dtype is not torch.float64:
            _refuse(f"input must be torch.float32 or torch.float64, got {dtype}")
        self._check("input", input, None, dtype)
        is_batched = input.dim() == 3
        batch_dim = 0 if self.batch_first else 1
        if not is_batched:
            if input.dim() != 2:
                _refuse(f"input must have 3 dimensions, or 2 without a batch, got {tuple(input.shape)}")
            input = input.unsqueeze(batch_dim)
        batch, time = input.shape[batch_dim], input.shape[1 - batch_dim]
        if input.shape[2] != self.input_size:
            _refuse(f"input must have {self.input_size} features, got {tuple(input.shape)}")

        network, tensors, _, drops = self._network(dtype)
        h = c = None
        if hx is not None:
            if self.use_mixed and isinstance(hx, torch.Tensor):
                _refuse("with mixed_memory=True, hx must be a pair (h, c), got a single tensor")
            if not self.use_mixed and not isinstance(hx, torch.Tensor):
                _refuse(f"hx must be a torch.Tensor, got {type(hx).__name__}")
            shape = torch.Size((batch, network.units) if is_batched else (network.units,))
            states = [self._check("hx", state, shape, dtype) for state in (hx if self.use_mixed else (hx,))]
            if not is_batched:
                states = [state.unsqueeze(0) for state in states]
            h, c = [state.contiguous() for state in states] if self.use_mixed else (states[0].contiguous(), None)
        if timespans is not None:
            if not isinstance(timespans, torch.Tensor):
                raise TypeError(f"timespans must be a torch.Tensor, got {type(timespans).__name__}")
            if not is_batched:
                timespans = timespans.unsqueeze(batch_dim)
            timespans = self._check("timespans", timespans.to(dtype), None, dtype)
            timespans = self._check_timespans(timespans, input.shape[:2])

        parameters = self._parameters_of(tensors, dtype)
        needs_gradient = torch.is_grad_enabled() and any(
            t is not None and t.requires_grad for t in (input, h, c, timespans, *parameters))
        # Each pass drops other values, as PyTorch's generator says.
        epoch = int(torch.randint(2**31 - 1, ())) if drops else 0
        call = _Call(network, self.batch_first, time, batch, epoch, needs_gradient or drops)
        if needs_gradient:
            y, *state = _Differentiable.apply(call, input, h, c, timespans, *parameters)
        else:
            y, *state = call.forward(input, h, c, timespans, parameters)
        if not is_batched:
            y = y.squeeze(batch_dim)  # as ncps does, for a last output (1, outputs) too
            state = [s.squeeze(0) for s in state]
        return y, tuple(state) if self.use_mixed else state[0]


class _LTCCell(nn.Module):
    """The tensors of an LTC, at ncps' initial values."""

    def __init__(self, wiring, input_mapping, output_mapping, implicit_param_constraints):
        super().__init__()
        self._wiring = wiring
        self._implicit_param_constraints = implicit_param_constraints
        units, inputs, outputs = wiring.units, wiring.input_dim, wiring.output_dim

        def add(name, value, requires_grad=True):
            self.register_parameter(name, nn.Parameter(value, requires_grad=requires_grad))

        def draw(name, shape, low, high):
            add(name, torch.rand(*shape) * (high - low) + low)

        def constant(matrix):
            return torch.tensor(np.asarray(matrix), dtype=torch.get_default_dtype())

        draw("gleak", (units,), 0.001, 1.0)
        draw("vleak", (units,), -0.2, 0.2)
        draw("cm", (units,), 0.4, 0.6)
        draw("sigma", (units, units), 3, 8)
        draw("mu", (units, units), 0.3, 0.8)
        draw("w", (units, units), 0.001, 1.0)
        add("erev", constant(wiring.erev_initializer()))
        draw("sensory_sigma", (inputs, units), 3, 8)
        draw("sensory_mu", (inputs, units), 0.3, 0.8)
        draw("sensory_w", (inputs, units), 0.001, 1.0)
        add("sensory_erev", constant(wiring.sensory_erev_initializer()))
        add("sparsity_mask", constant(np.abs(wiring.adjacency_matrix)), requires_grad=False)
        add("sensory_sparsity_mask", constant(np.abs(wiring.sensory_adjacency_matrix)), requires_grad=False)
        if input_mapping in ("affine", "linear"):
            add("input_w", torch.ones(inputs))
        if input_mapping == "affine":
            add("input_b", torch.zeros(inputs))
        if output_mapping in ("affine", "linear"):
            add("output_w", torch.ones(outputs))
        if output_mapping == "affine":
            add("output_b", torch.zeros(outputs))

    def apply_weight_constraints(self):
        """Clips w, sensory_w, cm and gleak at 0; call it after each step of an optimizer. Changes nothing if the
        constraints are implicit."""
        if not self._implicit_param_constraints:
            with torch.no_grad():
                for name in ("w", "sensory_w", "cm", "gleak"):
                    getattr(self, name).clamp_(min=0)


class LTC(_Layer):
    """A liquid time-constant network, in place of `ncps.torch.LTC`. Hasani et al., AAAI 2021.

        >>> rnn = LTC(20, AutoNCP(28, 4))
        >>> x = torch.randn(2, 3, 20)             # (batch, time, features)
        >>> output, hx = rnn(x)                   # (2, 3, 4) and (2, 28)

    :param input_size: number of input features
    :param units: a wiring of `elegans.wirings` or `ncps.wirings`, or a number of fully-connected neurons
    :param return_sequences: True: the outputs of all steps; False: of the last step only
    :param batch_first: whether the batch or the time is the first dimension
    :param mixed_memory: whether an LSTM in front remembers over long times
    :param input_mapping: "affine", "linear" or None
    :param output_mapping: likewise
    :param ode_unfolds: solver sub-steps per step
    :param epsilon: added to the denominator of a sub-step
    :param implicit_param_constraints: True keeps w, sensory_w, cm and gleak positive by softplus. With False, call
        `rnn_cell.apply_weight_constraints()` after each step of the optimizer
    """

    def __init__(self, input_size: int, units, return_sequences: bool = True, batch_first: bool = True,
                 mixed_memory: bool = False, input_mapping="affine", output_mapping="affine", ode_unfolds=6,
                 epsilon=1e-8, implicit_param_constraints=True):
        super().__init__(input_size, return_sequences, batch_first, mixed_memory)
        self._wiring = units if _is_wiring(units) else FullyConnected(units)
        self._output_dim = _tables(self._wiring, input_size)[2]
        self._options = (input_mapping or "none", output_mapping or "none", "semi_implicit", ode_unfolds, epsilon,
                         implicit_param_constraints)
        self._dropout = 0
        self.rnn_cell = _LTCCell(self._wiring, input_mapping, output_mapping, implicit_param_constraints)
        if mixed_memory:
            self.lstm = _LSTMCell(input_size, self.state_size)
        self._network(torch.get_default_dtype())  # refuses options that make no sense

    def _masks(self):
        return self.rnn_cell.sparsity_mask, self.rnn_cell.sensory_sparsity_mask

    def _make(self, masks, is_double, dropout):
        units = len(masks[0])
        types = ["motor" if i < self._output_dim else "inter" for i in range(units)]
        return native.make_ltc(is_double, self.use_mixed, (*masks, self._output_dim, types, [0] * units),
                               *self._options, self.return_sequences, 1)

    @property
    def state_size(self) -> int:
        """Number of neurons."""
        return self._wiring.units

    @property
    def sensory_size(self) -> int:
        """Number of inputs."""
        return self._wiring.input_dim

    @property
    def motor_size(self) -> int:
        """Number of outputs."""
        return self._wiring.output_dim

    @property
    def output_size(self) -> int:
        """Number of outputs."""
        return self.motor_size

    @property
    def synapse_count(self) -> int:
        """Number of synapses between neurons."""
        return int(np.abs(self._wiring.adjacency_matrix).sum())

    @property
    def sensory_synapse_count(self) -> int:
        """Number of synapses from the inputs."""
        return int(np.abs(self._wiring.sensory_adjacency_matrix).sum())


class _LeCun(nn.Module):
    def forward(self, x):
        return 1.7159 * torch.tanh(0.666 * x)


_ACTIVATIONS = {"silu": nn.SiLU, "relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "lecun_tanh": _LeCun}


class _CfCCell(nn.Module):
    """The tensors of a block of a CfC, at ncps' initial values."""

    def __init__(self, input_size, hidden_size, mode, activation, backbone_units, backbone_layers, backbone_dropout,
                 sparsity_mask=None):
        super().__init__()
        self.sparsity_mask = None if sparsity_mask is None else nn.Parameter(
            torch.from_numpy(np.abs(sparsity_mask.T).astype(np.float32)), requires_grad=False)
        features = input_size + hidden_size
        self.backbone = None
        if backbone_layers > 0:
            layers = [nn.Linear(features, backbone_units), _ACTIVATIONS[activation]()]
            for _ in range(1, backbone_layers):
                layers += [nn.Linear(backbone_units, backbone_units), _ACTIVATIONS[activation]()]
                if backbone_dropout > 0:
                    layers.append(nn.Dropout(backbone_dropout))
            self.backbone = nn.Sequential(*layers)
            features = backbone_units
        self.ff1 = nn.Linear(features, hidden_size)
        if mode == "pure":
            self.w_tau = nn.Parameter(torch.zeros(1, hidden_size))
            self.A = nn.Parameter(torch.ones(1, hidden_size))
        else:
            self.ff2 = nn.Linear(features, hidden_size)
            self.time_a = nn.Linear(features, hidden_size)
            self.time_b = nn.Linear(features, hidden_size)
        for w in self.parameters():
            if w.dim() == 2 and w.requires_grad:
                nn.init.xavier_uniform_(w)


class _WiredCfCCell(nn.Module):
    """The blocks of a wired CfC: one for each layer of the wiring."""

    def __init__(self, wiring, mode):
        super().__init__()
        before = None
        for layer in range(wiring.num_layers):
            neurons = wiring.get_neurons_of_layer(layer)
            mask = (wiring.sensory_adjacency_matrix if before is None else wiring.adjacency_matrix[before])[:, neurons]
            own = np.ones((len(neurons), len(neurons)))
            self.add_module(f"layer_{layer}", _CfCCell(len(mask), len(neurons), mode, "lecun_tanh", 0, 0, 0.0,
                                                       np.concatenate([mask, own])))
            before = neurons


class CfC(_Layer):
    """A closed-form continuous-time network, in place of `ncps.torch.CfC`. Hasani et al., Nature Machine Intelligence
    2022.

        >>> rnn = CfC(20, 50)
        >>> x = torch.randn(2, 3, 20)             # (batch, time, features)
        >>> output, hx = rnn(x)                   # (2, 3, 50) and (2, 50)

    :param input_size: number of input features
    :param units: number of neurons, or a wiring of `elegans.wirings` or `ncps.wirings`
    :param proj_size: outputs of a linear layer behind the network; None for none
    :param return_sequences: True: the outputs of all steps; False: of the last step only
    :param batch_first: whether the batch or the time is the first dimension
    :param mixed_memory: whether an LSTM in front remembers over long times
    :param mode: "default", "pure" or "no_gate"
    :param activation: of the backbone: "lecun_tanh", "relu", "tanh", "gelu" or "silu"
    :param backbone_units: neurons of a backbone layer, 128 by default. A wired CfC has no backbone
    :param backbone_layers: 1 by default
    :param backbone_dropout: 0 by default
    """

    def __init__(self, input_size: int, units, proj_size: int | None = None, return_sequences: bool = True,
                 batch_first: bool = True, mixed_memory: bool = False, mode: str = "default",
                 activation: str = "lecun_tanh", backbone_units: int | None = None, backbone_layers: int | None = None,
                 backbone_dropout: float | None = None):
        super().__init__(input_size, return_sequences, batch_first, mixed_memory)
        self.proj_size = proj_size
        self.mode = mode
        if mode not in ("default", "pure", "no_gate"):
            _refuse(f"mode must be 'default', 'pure' or 'no_gate', got '{mode}'")
        if activation not in _ACTIVATIONS:
            _refuse(f"activation must be one of {', '.join(_ACTIVATIONS)}, got '{activation}'")
        self._activation = activation
        self._is_wired = _is_wiring(units)
        if self._is_wired:
            for name, given in (("backbone_units", backbone_units), ("backbone_layers", backbone_layers),
                                ("backbone_dropout", backbone_dropout)):
                if given is not None:
                    _refuse(f"{name}: a wired CfC has no backbone")
            self.wiring = units
            _tables(units, input_size)
            self.state_size, self.output_size = int(units.units), int(units.output_dim)
            self._backbone, self._dropout = (1, 0), 0.0
            self.rnn_cell = _WiredCfCCell(units, mode)
        else:
            self.state_size = self.output_size = units
            self._backbone = (128 if backbone_units is None else backbone_units,
                              1 if backbone_layers is None else backbone_layers)
            self._dropout = 0.0 if backbone_dropout is None else backbone_dropout
            self.rnn_cell = _CfCCell(input_size, units, mode, activation, *self._backbone, self._dropout)
        if mixed_memory:
            self.lstm = _LSTMCell(input_size, self.state_size)
        self.fc = nn.Identity() if proj_size is None else nn.Linear(self.output_size, proj_size)
        self._network(torch.get_default_dtype())  # refuses options that make no sense

    def _masks(self):
        return [block.sparsity_mask for block in self.rnn_cell.children()] if self._is_wired else []

    def _make(self, masks, is_double, dropout):
        tables = self._wiring_tables(masks) if self._is_wired else None
        return native.make_cfc(is_double, self.use_mixed, tables, 0 if self._is_wired else self.state_size,
                               self.input_size, self.mode, self._activation, *self._backbone, dropout,
                               self.proj_size or 0, self.return_sequences, 1)

    def _wiring_tables(self, masks):
        """A wiring whose layers have these masks, (neurons, inputs + neurons). The last layer's neurons come first."""
        sizes = [len(mask) for mask in masks]
        inner = np.zeros((sum(sizes), sum(sizes)), dtype=np.int32)
        sensory = np.zeros((self.input_size, sum(sizes)), dtype=np.int32)
        types, layers, before = [""] * sum(sizes), [0] * sum(sizes), None
        for k, mask in enumerate(masks):
            own = slice(sum(sizes[k + 1:]), sum(sizes[k:]))
            inputs = mask.shape[1] - sizes[k]
            if not mask[:, inputs:].all():
                _refuse(f"rnn_cell.layer_{k}.sparsity_mask must be 1 between the layer's own neurons")
            if before is None:
                sensory[:, own] = mask[:, :inputs].T
            else:
                inner[before, own] = mask[:, :inputs].T
            kind = "motor" if k + 1 == len(masks) else "inter"
            types[own], layers[own], before = [kind] * sizes[k], [k] * sizes[k], own
        return inner, sensory, sizes[-1], types, layers
