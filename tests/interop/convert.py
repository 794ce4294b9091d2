#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Turns ncps models of PyTorch and Keras into model files, and back.

    convert.py torch-to-file STATE.pt MODEL.safetensors        STATE.pt: torch.save(model.state_dict(), "STATE.pt")
    convert.py file-to-torch MODEL.safetensors STATE.pt        then model.load_state_dict(torch.load("STATE.pt"))
    convert.py keras-to-file MODEL.keras MODEL.safetensors [--layer NAME]
    convert.py file-to-keras MODEL.safetensors MODEL.keras NEW.keras [--layer NAME]

Or from Python, with a layer at hand: `layer_to_tensors(layer)`, `tensors_to_layer(tensors, layer)`, `metadata(layer)`.

A model file has the names and layouts of ncps' PyTorch state_dict. What Keras does otherwise:

- An LTC has the same tensors; the masks are constants of the wiring. Its constraints are explicit: clipping.
- A wired CfC multiplies by polarities where PyTorch multiplies by 0 and 1: the signs go into the weights.
- Dense kernels and `ff1_weight`, `ff2_weight` are (inputs, outputs): transposed. A backbone's layers are numbered
  0, 2, 4, ... in PyTorch, or 0, 2, 5, 8, ... with a dropout.
- Only the mode `pure` of a CfC is the same function on both sides. In the modes `default` and `no_gate`, ncps' Keras
  cell leaves out the tanh of both heads; with mixed memory, it feeds the cell with the LSTM's output instead of the
  inputs. Neither can run in PyTorch or here with any weights, so both are refused.

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


def cell_of(layer):
    """The LTC or CfC cell of a Keras layer."""
    cell = getattr(layer, "cell", layer)
    kind = type(cell).__name__
    if kind == "MixedMemoryRNN":
        refuse("a Keras model with mixed memory is another function than PyTorch's: it cannot be converted")
    if kind not in ("LTCCell", "CfCCell", "WiredCfCCell"):
        refuse(f"a layer of kind {kind} is neither an LTC nor a CfC")
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


def variables(cell):
    """PyTorch's name -> (Keras' variable, how it differs: see to_torch)."""
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


def masks(cell):
    """ncps' masks, which Keras keeps as constants."""
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
    cell = cell_of(layer)
    tensors = {name: to_torch(variable, way) for name, (variable, way) in variables(cell).items()}
    return {**tensors, **masks(cell)}


def tensors_to_layer(tensors, layer):
    """Gives a built Keras layer the weights of a model file; its wiring and sizes must be those of the file."""
    cell = cell_of(layer)
    wanted = variables(cell)
    expected_masks = masks(cell)
    if set(tensors) != set(wanted) | set(expected_masks):
        refuse(f"these tensors are not in both: {sorted(set(tensors) ^ (set(wanted) | set(expected_masks)))}")
    for name, mask in expected_masks.items():
        if tensors[name].shape != mask.shape or not (tensors[name] == mask).all():
            refuse(f"{name}: the layer's wiring is another")
    for name, (variable, way) in wanted.items():
        variable.assign(to_keras(tensors[name], way))


def metadata(layer):
    """What the tensors cannot tell, for elegans."""
    cell = cell_of(layer)
    about = {"version": 1}
    if type(cell).__name__ == "LTCCell":
        def signs(matrix):
            return "".join("+" if p > 0 else "-" for p in np.asarray(matrix).reshape(-1) if p != 0)
        about.update(model="LTC", ode_unfolds=cell._ode_unfolds, epsilon=float(cell._epsilon),
                     implicit_param_constraints=False, solver="semi_implicit", output_dim=int(wiring_of(cell).output_dim),
                     polarity=signs(wiring_of(cell).adjacency_matrix),
                     sensory_polarity=signs(wiring_of(cell).sensory_adjacency_matrix))
    else:
        about.update(model="CfC", mode="pure")
        if getattr(cell, "_backbone_layers", 0) > 0:
            activation = cell._activation if isinstance(cell._activation, str) else cell._activation.__name__
            about.update(activation=activation, backbone_dropout=float(cell._backbone_dropout))
    return {"elegans": json.dumps(about, separators=(",", ":"))}


def keras_model(path, layer):
    """A Keras model, and its LTC or CfC: the one of that name, or the only one."""
    import keras
    import ncps.keras  # noqa: F401, registers the layers
    model = keras.models.load_model(path)
    found = [l for l in model.layers if type(l).__name__ in ("LTC", "CfC") and layer in (None, l.name)]
    if len(found) != 1:
        refuse(f"{path} has {len(found)} layers LTC or CfC" + (f" called {layer}" if layer else ": choose with --layer"))
    return model, found[0]


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
