"""The last linear layer of a network: what goes in, what comes out, other weights."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from xdpl.fit import Fit
from xdpl.networks.bounded import ParameterNetwork
from xdpl.networks.random_prior import WithPrior

__all__ = ["Passed", "head_of", "head_weights", "watched", "with_head"]


@dataclass
class Passed:
    """What went through a layer in its last call.

    Parameters
    ----------
    features : Tensor, (site, feature)
    columns : Tensor, (site, column)
        Of the graph: gradients with respect to it can be taken.
    """

    features: Tensor
    columns: Tensor


def head_of(network: ParameterNetwork) -> torch.nn.Linear | None:
    """The last layer of a fully connected network; None if it has none."""
    body = network.body.trained if isinstance(network.body, WithPrior) else network.body
    last = body[-1] if isinstance(body, torch.nn.Sequential) and len(body) else None
    return last if isinstance(last, torch.nn.Linear) else None


def head_weights(head: torch.nn.Linear) -> np.ndarray:
    """Weights and biases in double precision, (feature + 1, column)."""
    parts = [head.weight.T, head.bias[None, :]]
    return torch.cat(parts).detach().numpy().astype(np.float64)


def with_head(fit: Fit, weights: np.ndarray) -> Fit:
    """The same fit with other weights (feature + 1, column) of its last layer."""
    network = copy.deepcopy(fit.network)
    assert isinstance(network, ParameterNetwork)
    head = head_of(network)
    assert head is not None
    values = torch.from_numpy(np.ascontiguousarray(weights.T)).to(head.weight.dtype)
    with torch.no_grad():
        head.weight.copy_(values[:, :-1])
        head.bias.copy_(values[:, -1])
    return replace(fit, network=network)


@contextmanager
def watched(head: torch.nn.Linear) -> Iterator[list[Passed]]:
    """Notes what passes a layer."""
    seen: list[Passed] = []
    hook = head.register_forward_hook(lambda _, given, out: seen.append(Passed(given[0].detach(), out)))
    try:
        yield seen
    finally:
        hook.remove()
