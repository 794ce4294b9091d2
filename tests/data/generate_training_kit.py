#!/usr/bin/env python3
# SPDX-FileCopyrightText: The elegans authors
# SPDX-License-Identifier: Apache-2.0
"""Losses with their gradients, steps of optimizers and learning rates, taken from PyTorch in double precision.

    python3 generate_training_kit.py > training_kit.json
"""
import json

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(20)


def losses():
    rows = 5
    cases = {}

    def case(name, function, outputs, target):
        prediction = (torch.randn(rows, outputs) * 2).requires_grad_()
        each = function(prediction, target)
        weight = torch.rand(rows)
        value = (each * weight).sum()
        value.backward()
        cases[name] = {
            "prediction": prediction.tolist(),
            "target": target.reshape(rows, -1).tolist(),
            "weight": weight.tolist(),
            "loss": value.item(),
            "d_prediction": prediction.grad.tolist(),
        }

    nn = torch.nn.functional
    case("mean_squared_error", lambda p, y: nn.mse_loss(p, y, reduction="none").mean(1), 3, torch.randn(rows, 3))
    case("mean_absolute_error", lambda p, y: nn.l1_loss(p, y, reduction="none").mean(1), 3, torch.randn(rows, 3))
    case("huber", lambda p, y: nn.huber_loss(p, y, reduction="none", delta=0.7).mean(1), 3, torch.randn(rows, 3))
    case(
        "binary_cross_entropy",
        lambda p, y: nn.binary_cross_entropy_with_logits(p, y, reduction="none").mean(1),
        3,
        torch.rand(rows, 3),
    )
    case(
        "softmax_cross_entropy_numbers",
        lambda p, y: nn.cross_entropy(p, y.long(), reduction="none"),
        4,
        torch.tensor([0.0, 3.0, 1.0, 2.0, 3.0]),
    )
    case(
        "softmax_cross_entropy_probabilities",
        lambda p, y: nn.cross_entropy(p, y, reduction="none"),
        4,
        torch.softmax(torch.randn(rows, 4), 1),
    )
    return cases


def optimizers():
    start = torch.randn(6)
    gradients = torch.randn(8, 6) * torch.tensor([1.0, 1e-3, 10.0, 1.0, 0.0, 1.0])
    optim = torch.optim
    makers = {
        "adam": lambda p: optim.Adam(p, lr=0.02, betas=(0.8, 0.99), eps=1e-6),
        "adamw": lambda p: optim.AdamW(p, lr=0.02, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1),
        "rmsprop": lambda p: optim.RMSprop(p, lr=0.02, alpha=0.8, eps=1e-6),
        "rmsprop_momentum": lambda p: optim.RMSprop(p, lr=0.02, alpha=0.8, eps=1e-6, momentum=0.7),
        "sgd": lambda p: optim.SGD(p, lr=0.02),
        "sgd_momentum": lambda p: optim.SGD(p, lr=0.02, momentum=0.7),
        "sgd_nesterov": lambda p: optim.SGD(p, lr=0.02, momentum=0.7, nesterov=True),
    }
    ends = {}
    for name, make in makers.items():
        parameter = torch.nn.Parameter(start.clone())
        optimizer = make([parameter])
        for gradient in gradients:
            parameter.grad = gradient.clone()
            optimizer.step()
        ends[name] = parameter.tolist()
    clipped = {}
    for norm in (0.5, 100.0):
        parameter = torch.nn.Parameter(start.clone())
        parameter.grad = gradients[0].clone()
        torch.nn.utils.clip_grad_norm_([parameter], norm)
        clipped[str(norm)] = parameter.grad.tolist()
    return {"start": start.tolist(), "gradients": gradients.tolist(), "ends": ends, "clipped": clipped}


def schedules():
    lr = torch.optim.lr_scheduler
    makers = {
        "exponential": lambda o: lr.ExponentialLR(o, 0.9),
        "cosine": lambda o: lr.CosineAnnealingLR(o, T_max=10, eta_min=0.05),
        "step": lambda o: lr.StepLR(o, 3, 0.5),
    }
    rates = {}
    for name, make in makers.items():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        scheduler = make(optimizer)
        rates[name] = []
        for _ in range(10):
            rates[name].append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
    return rates


print(json.dumps({"losses": losses(), "optimizers": optimizers(), "schedules": schedules()}, indent=1))
