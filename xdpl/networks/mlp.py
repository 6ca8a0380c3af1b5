"""Fully connected network on attributes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

import torch

from xdpl.networks.base import Inputs, Network, Outputs, Sizes, check_fractions, check_widths, zeroed

__all__ = ["MLP"]


@dataclass(frozen=True)
class MLP(Network):
    """Fully connected network on the attributes of a site.

    Parameters
    ----------
    hidden : tuple of int
        Width of each hidden layer.
    dropout : float
        Fraction of hidden units dropped while training, 0 to below 1.

    Raises
    ------
    ValueError
        If a width is not positive or the dropout is outside [0, 1).
    """

    hidden: tuple[int, ...] = (64, 64)
    dropout: float = 0.0

    kind: ClassVar[str] = "mlp"

    def __post_init__(self) -> None:
        check_widths(hidden=self.hidden)
        check_fractions(dropout=self.dropout)

    def describe(self, n_attributes: int, n_columns: int) -> str:
        """Widths from attributes to columns."""
        return f"{self.kind} {' → '.join(map(str, (n_attributes, *self.hidden, n_columns)))}"

    def build(self, sizes: Sizes) -> torch.nn.Module:
        """Layers (site, attribute) -> (site, column), the last one set to zero."""
        return _Layers(self, len(sizes.attributes), len(sizes.columns))


class _Layers(torch.nn.Sequential):
    def __init__(self, spec: MLP, n_attributes: int, n_columns: int) -> None:
        widths = (n_attributes, *spec.hidden)
        layers: list[torch.nn.Module] = []
        for width_in, width_out in itertools.pairwise(widths):
            layers += [torch.nn.Linear(width_in, width_out), torch.nn.ReLU()]
            if spec.dropout:
                layers.append(torch.nn.Dropout(spec.dropout))
        super().__init__(*layers, zeroed(torch.nn.Linear(widths[-1], n_columns)))

    def forward(self, inputs: Inputs) -> Outputs:
        return Outputs(super().forward(inputs.attributes))
