"""Fully connected network on attributes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

import torch

from xdpl.networks.base import Inputs, Network, Outputs, Sizes, check_fractions, check_widths, zeroed
from xdpl.networks.random_prior import RandomPrior, WithPrior, check_width

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
    prior : float
        Standard deviation of a random function of the attributes, drawn with the seed and never
        trained, that is added to the outputs (Osband et al. 2018, arXiv:1806.03335). Fits of several
        seeds then agree only on what data tell, which `xdpl.uncertainty.deep_ensemble` needs. About
        1.8 is as wide as the bounds; with 0, the usual, a fresh network gives the defaults.

    Raises
    ------
    ValueError
        If a width is not positive, the dropout is outside [0, 1) or the prior is negative.
    """

    hidden: tuple[int, ...] = (64, 64)
    dropout: float = 0.0
    prior: float = 0.0

    kind: ClassVar[str] = "mlp"

    def __post_init__(self) -> None:
        check_widths(hidden=self.hidden)
        check_fractions(dropout=self.dropout)
        check_width(prior=self.prior)

    def describe(self, n_attributes: int, n_columns: int) -> str:
        """Widths from attributes to columns."""
        return f"{self.kind} {' → '.join(map(str, (n_attributes, *self.hidden, n_columns)))}"

    def build(self, sizes: Sizes) -> torch.nn.Module:
        """Layers (site, attribute) -> (site, column), the last one set to zero."""
        n_attributes, n_columns = len(sizes.attributes), len(sizes.columns)
        layers = _Layers(self, n_attributes, n_columns)
        if not self.prior:
            return layers
        return WithPrior(layers, RandomPrior(n_attributes, n_columns, self.prior))


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
