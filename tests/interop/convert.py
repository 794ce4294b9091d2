#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Turns ncps models of PyTorch and Keras into model files, and back.

    convert.py torch-to-file STATE.pt MODEL.safetensors        STATE.pt: torch.save(model.state_dict(), "STATE.pt")
    convert.py file-to-torch MODEL.safetensors STATE.pt        then model.load_state_dict(torch.load("STATE.pt"))
    convert.py keras-to-file MODEL.keras MODEL.safetensors [--layer NAME]
    convert.py file-to-keras MODEL.safetensors MODEL.keras NEW.keras [--layer NAME]

Or from Python, with a layer at hand: `layer_to_tensors(layer)`, `tensors_to_layer(tensors, layer)`, `metadata(layer)`.

A Keras model is a `keras.Sequential` of LTC, CfC, Dense, LayerNormalization and Dropout layers, of a Bidirectional of
two LTC or CfC, and of more such Sequentials; or --layer names one layer of any model. A Sequential of one layer becomes
the file of that layer, any other one a stack.

A model file has the names and layouts of ncps' PyTorch state_dict. What Keras does otherwise:

- An LTC has the same tensors; the masks are constants of the wiring. Its constraints are explicit: clipping.
- A wired CfC multiplies by polarities where PyTorch multiplies by 0 and 1: the signs go into the weights.
- Dense kernels and `ff1_weight`, `ff2_weight` are (inputs, outputs): transposed. A backbone's layers are numbered
  0, 2, 4, ... in PyTorch, or 0, 2, 5, 8, ... with a dropout.
- Only the mode `pure` of a CfC is the same function on both sides. In the modes `default` and `no_gate`, ncps' Keras
  cell leaves out the tanh of both heads; with mixed memory, it feeds the cell with the LSTM's output instead of the
  inputs. Neither can run in PyTorch or here with any weights, so both are refused.
- A recurrent layer returns its last output only, unless `return_sequences` says otherwise: the metadata has it.

torch-to-file and file-to-torch need torch and safetensors; the other two keras, ncps 1.0.1 and safetensors.
"""
import argparse
import json
import sys

import numpy as np

LTC_NAMES = ("gleak", "vleak", "cm", "sigma", "mu", "w", "erev", "sensory_sigma", "sensory_mu", "sensory_w",
             "sensory_erev", "input_w", "input_b", "output_w", "output_b")


def refuse(message):
    raise SystemExit("convert.py: " + message)


ACTIVATIONS = ("linear", "relu", "tanh", "gelu", "silu", "sigmoid")


def sublayers(layer):
    """The layers that a Keras layer is made of, by their prefix in a file; None if it is a single one."""
    kind = type(layer).__name__
    if kind == "Sequential":
        return {f"{k}.": own for k, own in enumerate(layer.layers)}
    if kind == "Bidirectional":
        if layer.merge_mode != "concat":
            refuse(f"a Bidirectional must have merge_mode='concat', got {layer.merge_mode!r}")
        return {"forward_layer.": layer.forward_layer, "backward_layer.": layer.backward_layer}
    return None


def cell_of(layer):
    """The LTC or CfC cell of a Keras layer."""
    cell = getattr(layer, "cell", layer)
    kind = type(cell).__name__
    if kind == "MixedMemoryRNN":
        refuse("a Keras model with mixed memory is another function than PyTorch's: it cannot be converted")
    if kind not in ("LTCCell", "CfCCell", "WiredCfCCell"):
        refuse(f"a layer of kind {kind} is none of LTC, CfC, Dense, LayerNormalization, Dropout, Sequential, "
               "Bidirectional")
    if kind != "LTCCell" and cell.mode != "pure":
        refuse(f"a Keras CfC of mode {cell.mode} is another function than PyTorch's: only pure can be converted")
    return cell


def wiring_of(cell):
    """ncps.keras and ncps.tf call it otherwise."""
    return cell.wiring if hasattr(cell, "wiring") else cell._wiring


def to_torch(values, way):
    """Keras' layout -> PyTorch's: `way` is None, "transposed", or the polarities of a transposed kernel."""
    values = np.asarray(values)
    if way is None:
        return values
    return np.ascontiguousarray((values if isinstance(way, str) else values * np.where(way < 0, -1, 1)).T)


def to_keras(values, way):
    """The other way round."""
    if way is None:
        return values
    return values.T if isinstance(way, str) else values.T * np.where(way < 0, -1, 1)


def variables(layer):
    """PyTorch's name -> (Keras' variable, how it differs: see to_torch)."""
    if sublayers(layer) is not None:
        return {prefix + name: value for prefix, own in sublayers(layer).items()
                for name, value in variables(own).items()}
    kind = type(layer).__name__
    if kind == "Dropout":
        return {}
    if kind == "Dense":
        if not layer.use_bias:
            refuse(f"the Dense '{layer.name}' must have a bias")
        return {"weight": (layer.kernel, "transposed"), "bias": (layer.bias, None)}
    if kind == "LayerNormalization":
        if layer.gamma is None or layer.beta is None or layer.gamma.ndim != 1:
            refuse(f"the LayerNormalization '{layer.name}' must scale and center the last axis")
        return {"weight": (layer.gamma, None), "bias": (layer.beta, None)}
    cell = cell_of(layer)
    kind = type(cell).__name__
    if kind == "LTCCell":
        own = {v.name: v for v in cell.weights}
        return {"rnn_cell." + name: (own[name], None) for name in LTC_NAMES if name in own}
    blocks = {"rnn_cell.": cell}
    if kind == "WiredCfCCell":
        blocks = {f"rnn_cell.layer_{i}.": block for i, block in enumerate(cell._cfc_layers)}
    result = {}
    for prefix, block in blocks.items():
        if block._backbone_layers > 0:
            dense = [layer for layer in block.backbone_fn.layers if type(layer).__name__ == "Dense"]
            for i, layer in enumerate(dense):
                step = 3 if block._backbone_dropout > 0 else 2
                name = f"{prefix}backbone.{0 if i == 0 else 2 + (i - 1) * step}"
                result[name + ".weight"] = (layer.kernel, "transposed")
                result[name + ".bias"] = (layer.bias, None)
        polarities = None if block.sparsity_mask is None else np.asarray(block.sparsity_mask, dtype=np.float32)
        result[prefix + "ff1.weight"] = (block.ff1_kernel, "transposed" if polarities is None else polarities)
        result[prefix + "ff1.bias"] = (block.ff1_bias, None)
        result[prefix + "w_tau"] = (block.w_tau, None)
        result[prefix + "A"] = (block.A, None)
    return result


def masks(layer):
    """ncps' masks, which Keras keeps as constants."""
    if sublayers(layer) is not None:
        return {prefix + name: mask for prefix, own in sublayers(layer).items() for name, mask in masks(own).items()}
    cell = getattr(layer, "cell", layer)
    kind = type(cell).__name__
    if kind == "LTCCell":
        return {"rnn_cell.sparsity_mask": np.abs(wiring_of(cell).adjacency_matrix).astype(np.float32),
                "rnn_cell.sensory_sparsity_mask": np.abs(wiring_of(cell).sensory_adjacency_matrix).astype(np.float32)}
    if kind == "WiredCfCCell":
        return {f"rnn_cell.layer_{i}.sparsity_mask":
                np.ascontiguousarray(np.abs(np.asarray(block.sparsity_mask, dtype=np.float32)).T)
                for i, block in enumerate(cell._cfc_layers)}
    return {}


def layer_to_tensors(layer):
    """A built Keras layer's weights, by PyTorch's names."""
    tensors = {name: to_torch(variable, way) for name, (variable, way) in variables(layer).items()}
    return {**tensors, **masks(layer)}


def tensors_to_layer(tensors, layer):
    """Gives a built Keras layer the weights of a model file; its wiring and sizes must be those of the file."""
    wanted = variables(layer)
    expected_masks = masks(layer)
    if set(tensors) != set(wanted) | set(expected_masks):
        refuse(f"these tensors are not in both: {sorted(set(tensors) ^ (set(wanted) | set(expected_masks)))}")
    for name, mask in expected_masks.items():
        if tensors[name].shape != mask.shape or not (tensors[name] == mask).all():
            refuse(f"{name}: the layer's wiring is another")
    for name, (variable, way) in wanted.items():
        if to_torch(variable, way).shape != tensors[name].shape:
            refuse(f"{name}: the layer's shape is {to_torch(variable, way).shape}, the file's {tensors[name].shape}")
    for name, (variable, way) in wanted.items():
        variable.assign(to_keras(tensors[name], way))


def about(layer):
    """What the tensors cannot tell about a layer, for elegans."""
    kind = type(layer).__name__
    if sublayers(layer) is not None:
        return {"model": kind, "stack": [about(own) for own in sublayers(layer).values()]}
    if kind == "Dense":
        if layer.activation.__name__ not in ACTIVATIONS:
            refuse(f"the Dense '{layer.name}' must have one of the activations {', '.join(ACTIVATIONS)}, "
                   f"got {layer.activation.__name__}")
        return {"model": kind, "activation": layer.activation.__name__}
    if kind == "LayerNormalization":
        return {"model": "LayerNorm", "epsilon": float(layer.epsilon)}
    if kind == "Dropout":
        return {"model": kind, "features": int(layer.input.shape[-1]), "share": float(layer.rate)}
    cell = cell_of(layer)
    result = {"return_sequences": bool(getattr(layer, "return_sequences", True))}
    if type(cell).__name__ == "LTCCell":
        def signs(matrix):
            return "".join("+" if p > 0 else "-" for p in np.asarray(matrix).reshape(-1) if p != 0)
        result.update(model="LTC", ode_unfolds=cell._ode_unfolds, epsilon=float(cell._epsilon),
                      implicit_param_constraints=False, solver="semi_implicit",
                      output_dim=int(wiring_of(cell).output_dim), polarity=signs(wiring_of(cell).adjacency_matrix),
                      sensory_polarity=signs(wiring_of(cell).sensory_adjacency_matrix))
    else:
        result.update(model="CfC", mode="pure")
        if getattr(cell, "_backbone_layers", 0) > 0:
            activation = cell._activation if isinstance(cell._activation, str) else cell._activation.__name__
            result.update(activation=activation, backbone_dropout=float(cell._backbone_dropout))
    return result


def metadata(layer):
    """What the tensors cannot tell about a layer or a stack, as elegans reads it from a file."""
    return {"elegans": json.dumps({"version": 1, **about(layer)}, separators=(",", ":"))}


def keras_model(path, name):
    """A Keras model, and what to convert of it: the layer of that name, the only layer, or the model itself."""
    import keras
    import ncps.keras  # noqa: F401, registers the layers
    model = keras.models.load_model(path)
    if name is not None:
        found = [layer for layer in model.layers if layer.name == name]
        if not found:
            refuse(f"{path} has no layer called {name}; it has {', '.join(layer.name for layer in model.layers)}")
        return model, found[0]
    if type(model).__name__ != "Sequential":
        refuse(f"{path} is not a Sequential: choose a layer with --layer")
    return model, model.layers[0] if len(model.layers) == 1 else model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("torch-to-file", "file-to-torch", "keras-to-file", "file-to-keras"))
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--layer")
    args = parser.parse_args()
    if len(args.paths) != (3 if args.what == "file-to-keras" else 2):
        parser.error(f"{args.what} takes {3 if args.what == 'file-to-keras' else 2} paths")
    if args.what == "torch-to-file":
        import torch
        from safetensors.torch import save_file
        state = torch.load(args.paths[0], map_location="cpu")
        # The masks of a wired CfC are views, which safetensors does not take as they are.
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, args.paths[1])
    elif args.what == "file-to-torch":
        import torch
        from safetensors.torch import load_file
        torch.save(load_file(args.paths[0]), args.paths[1])
    elif args.what == "keras-to-file":
        from safetensors.numpy import save_file
        _, layer = keras_model(args.paths[0], args.layer)
        save_file(layer_to_tensors(layer), args.paths[1], metadata(layer))
    else:
        from safetensors.numpy import load_file
        model, layer = keras_model(args.paths[1], args.layer)
        tensors_to_layer(load_file(args.paths[0]), layer)
        model.save(args.paths[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
