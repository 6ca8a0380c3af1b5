"""The torch module of an `MLP` specification."""

from __future__ import annotations

import itertools

import torch

from xdpl.networks.spec import MLP

__all__ = ["build"]


def build(spec: MLP, n_attributes: int, n_outputs: int) -> torch.nn.Sequential:
    """Build layers (site, attribute) -> (site, output), the last one set to zero.

    A zero last layer makes a fresh network return the same output everywhere,
    which the bounds turn into the default parameters.
    """
    widths = (n_attributes, *spec.hidden)
    layers: list[torch.nn.Module] = []
    for width_in, width_out in itertools.pairwise(widths):
        layers += [torch.nn.Linear(width_in, width_out), torch.nn.ReLU()]
        if spec.dropout:
            layers.append(torch.nn.Dropout(spec.dropout))
    last = torch.nn.Linear(widths[-1], n_outputs)
    torch.nn.init.zeros_(last.weight)
    torch.nn.init.zeros_(last.bias)
    return torch.nn.Sequential(*layers, last)
