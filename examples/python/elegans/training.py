# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Training on numpy arrays."""
from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional, Sequence

import numpy as np

from ._arrays import address, plain, refuse, strided

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .models import Model

__all__ = ["History", "fit"]


_OnEpoch = Callable[[Dict[str, Any]], Optional[bool]]


class History(Dict[str, Any]):
    """The course of a training: lists with one value per epoch under "loss", "validation_loss" (empty without
    validation data) and "learning_rate", and of each metric, as "f1" and "validation_f1"; "best_epoch", from 1 on;
    "stopped_by": "all epochs", "callback" or "early stopping"."""


def _data(model: Model, x: ArrayLike, y: ArrayLike, timespans: ArrayLike | None, mask: ArrayLike | None,
          sample_weight: ArrayLike | None, what: str) -> tuple[Any, Any]:
    x = model._sequences(x, f"{what}x")
    samples, steps = x.shape[:2]
    y = plain(y, model.dtype)
    y = y[None] if y.ndim == 2 and samples == 1 else y
    if y.ndim == 2:
        y = y[:, None]  # the last output of each sample
    if y.ndim != 3 or len(y) != samples:
        refuse(f"{what}y must be ({samples}, time, outputs) or ({samples}, outputs), got {np.shape(y)}")
    spans = model._per_step(timespans, (samples, steps), f"{what}timespans", model.dtype)
    exists = model._per_step(mask, (samples, steps), f"{what}mask", bool)
    exists = None if exists is None else np.ascontiguousarray(exists.T)
    weights = [] if sample_weight is None else [float(w) for w in np.asarray(sample_weight)]
    arrays = ((steps, samples, y.shape[1], y.shape[2]), strided(x), strided(y),
              (0, 0, 0, 0) if spans is None else (address(spans), 1, steps, 0), address(exists), weights)
    return arrays, (x, y, spans, exists)  # the arrays must outlive the addresses


def _notebook_progress(then: _OnEpoch | None) -> _OnEpoch:
    """Prints a line as the progress bar of a terminal does, which a notebook does not show."""
    drawn = 0.0
    known = ("number", "of", "loss", "validation_loss", "learning_rate", "is_best")

    def on_epoch(epoch: dict[str, Any]) -> bool | None:
        nonlocal drawn
        now = time.monotonic()
        if now - drawn > 0.1 or epoch["number"] == epoch["of"]:
            drawn = now
            validation = f", validation loss {epoch['validation_loss']:.6f}" if "validation_loss" in epoch else ""
            others = "".join(f", {name.replace('_', ' ')} {epoch[name]:.6f}" for name in epoch if name not in known)
            print(f"\rEpoch {epoch['number']}/{epoch['of']} loss {epoch['loss']:.6f}{validation}{others}", end="",
                  flush=True)
        return None if then is None else then(epoch)

    return on_epoch


def fit(model: Model, x: ArrayLike, y: ArrayLike, *, epochs: int = 1, batch_size: int = 0,
        learning_rate: float = 0.001, optimizer: str = "adam", loss: str = "mean_squared_error", delta: float = 1.0,
        metrics: Sequence[str] = (), optimizer_options: Mapping[str, Any] | None = None,
        timespans: ArrayLike | None = None, mask: ArrayLike | None = None, sample_weight: ArrayLike | None = None,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None, validation_split: float = 0.0, patience: int = 0,
        min_delta: float = 0.0, restore_best_weights: bool = False, monitor: str = "",
        schedule: Callable[[int, int], float] | None = None, clip_norm: float = 0.0, clip_value: float = 0.0,
        freeze: Sequence[str] = (), last_step: bool = False, bptt_steps: int = 0, stateful: bool = False,
        shuffle: bool = True, seed: int = 1, workers: int = 1, show_progress: bool = True,
        on_epoch: _OnEpoch | None = None) -> History:
    """Trains a model. The same seed gives the same run.

        >>> history = elegans.fit(model, x, y, epochs=400, learning_rate=0.01)

    Other threads run meanwhile, and may run the model too. Ctrl-C ends the training; after it, and after any other
    exception, the model has the parameters of the last complete epoch.

    :param x: (samples, time, input_dim), or (time, input_dim) for one sequence
    :param y: (samples, time, outputs), or (samples, outputs) for a model that gives its last output only
    :param epochs: passes over the data
    :param batch_size: samples per update; 0 for all at once
    :param learning_rate: of the optimizer
    :param shuffle: takes the samples in another order in each epoch; `seed` says in which
    :param optimizer: "adam", "adamw", "rmsprop" or "sgd"; `optimizer_options` is a dictionary of its other options
    :param loss: "mean_squared_error", "mean_absolute_error", "huber" (with `delta`), "binary_cross_entropy" or
        "softmax_cross_entropy"; the last two take logits
    :param metrics: what to report beside the loss: names of losses, "accuracy", "precision", "recall", "f1" or "r2"
    :param timespans: elapsed time of each step, (samples, time) or (time); 1 by default
    :param mask: (samples, time) or (time); false where a step does not exist
    :param sample_weight: (samples), weight of each sample in the loss
    :param validation_data: a pair (x, y)
    :param validation_split: share of the samples, from the end, held back to validate
    :param patience: stops after so many epochs without a better loss; 0 for never
    :param min_delta: a loss is better if it is lower by more than this
    :param restore_best_weights: ends with the parameters of the best epoch
    :param monitor: the metric that says which epoch is better than another; "" for the loss
    :param schedule: function (epochs so far, epochs in all) -> factor of the learning rate
    :param clip_norm: largest norm of the gradient; 0 for none. `clip_value` is the largest derivative
    :param freeze: names or patterns of tensors that keep their values, as the library has them: "w", "sensory_*"
    :param last_step: compares the last step of each sample only
    :param bptt_steps: truncated BPTT: updates every so many steps; 0 for all steps
    :param stateful: carries the state over from batch to batch
    :param workers: threads that a batch is spread over; the results are the same to the bit
    :param show_progress: shows a progress bar in a terminal or a notebook
    :param on_epoch: function of a dictionary with "number", "of", "loss", "validation_loss", "learning_rate",
        "is_best", and each metric by its name and as "validation_f1", called after each epoch; the training stops if it
        returns False
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
               "restore_best_weights": restore_best_weights, "monitor": monitor, "metrics": list(metrics),
               "clip_norm": clip_norm, "clip_value": clip_value, "freeze": list(freeze), "last_step": last_step,
               "bptt_steps": bptt_steps, "stateful": stateful, "show_progress": show_progress, "workers": workers}
    history = model._network.fit(arrays, validation, loss, delta, optimizer,
                                 {"learning_rate": learning_rate, **(optimizer_options or {})}, options, schedule,
                                 on_epoch)
    del kept, kept_validation
    return History(history)
