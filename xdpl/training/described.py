"""What a training is: its settings as plain values, and a fingerprint that a checkpoint belongs to."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import numpy as np
import torch

from xdpl.labelled.attrs import model_hash
from xdpl.training.arrays import Arrays, Period
from xdpl.training.plan import Plan
from xdpl.training.priors import Departures
from xdpl.training.request import Inputs, Request
from xdpl.training.windows import Windows

__all__ = ["described", "fingerprint", "identity"]


def described(inputs: Inputs, request: Request, plan: Plan, windows: Windows, engine: str) -> dict[str, Any]:
    """Settings as plain values."""
    return dataclasses.asdict(plan) | {
        "model_hash": model_hash(inputs.model),
        "network": inputs.network.to_dict(),
        "members": request.members,
        "dynamic": list(inputs.columns.dynamic),
        "dynamic_dropout": request.dynamic_dropout,
        "order": inputs.columns.ordering.names,
        "priors": {k: known.prior.to_dict() for k, known in inputs.priors.items()},
        "targets": {k: f.variable for k, f in inputs.targets.items()},
        "loss": inputs.losses,
        "weights": {k: float(v) for k, v in inputs.weights.items()},
        "observation": {k: operator.describe() for k, operator in inputs.operators.items()},
        "objective": request.how,
        **({"group_dro": dataclasses.asdict(request.rule)} if request.rule is not None else {}),
        "gradients": getattr(request.gradients, "identity", None),
        "engine": engine,
        "first": windows.first,
        "last": windows.last,
        "warmup": windows.warmup,
        "warmup_gradient": request.warmup_gradient,
        "window": windows.window,
        "batch": windows.batch,
        "coverage": windows.coverage,
    }


def identity(network: torch.nn.Module, inputs: Inputs) -> dict[str, Any]:
    """What settings say in short, or not at all."""
    operators = {k: operator.to_dict() for k, operator in inputs.operators.items()}
    return {"layers": repr(network), "operators": operators}


def fingerprint(
    arrays: Arrays, settings: dict[str, Any], when: dict[str, Period], known: Departures | None
) -> str:
    """Of the settings, the periods and every value that is trained on or validated with."""
    digest = hashlib.sha256(json.dumps(settings | {"periods": when}, sort_keys=True).encode())
    for values in (
        *arrays.forcings.values(),
        *arrays.observed.values(),
        arrays.attributes,
        arrays.training,
        arrays.validating,
        *([] if arrays.groups is None else [arrays.groups]),
        *([] if known is None else [v.cpu().numpy() for v in known.buffers()]),
    ):
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
