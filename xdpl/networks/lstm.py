"""Recurrent network on forcings and attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn.functional import linear

from xdpl.networks.base import Inputs, Network, Outputs, Sizes, check_counts, check_fractions, zeroed

__all__ = ["LSTM"]


@dataclass(frozen=True)
class LSTM(Network):
    """Long short-term memory network that reads the forcings with the attributes.

    Static parameters are those of its last time step, dynamic ones its whole series.

    Parameters
    ----------
    hidden : int
        Width of the recurrent layer.
    dropout : float
        Fraction of the recurrent layer's outputs dropped while training, 0 to below 1.

    Raises
    ------
    ValueError
        If the width is not positive or the dropout is outside [0, 1).

    References
    ----------
    Hochreiter and Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735;
    Feng et al. (2022), doi:10.1029/2022WR032404.
    """

    hidden: int = 64
    dropout: float = 0.0

    kind: ClassVar[str] = "lstm"
    reads_forcings: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_counts(hidden=self.hidden)
        check_fractions(dropout=self.dropout)

    def build(self, sizes: Sizes) -> torch.nn.Module:
        """Recurrent layer with a linear layer before and behind; the last one set to zero."""
        return _Recurrent(self, sizes)


class _Recurrent(torch.nn.Module):
    def __init__(self, spec: LSTM, sizes: Sizes) -> None:
        super().__init__()
        self.moving = list(sizes.moving)
        # One linear layer over both, split so that attributes are multiplied once, not every day.
        self.forcings = torch.nn.Linear(len(sizes.forcings), spec.hidden)
        self.attributes = torch.nn.Linear(len(sizes.attributes), spec.hidden, bias=False)
        self.recurrent = torch.nn.LSTM(spec.hidden, spec.hidden)
        self.dropout = torch.nn.Dropout(spec.dropout)
        self.head = zeroed(torch.nn.Linear(spec.hidden, len(sizes.columns)))
        remember(self.recurrent)

    def forward(self, inputs: Inputs) -> Outputs:
        assert inputs.forcings is not None
        mixed = torch.relu(self.forcings(inputs.forcings) + self.attributes(inputs.attributes))
        hidden, _ = self.recurrent(mixed)
        hidden = self.dropout(hidden)
        still = self.head(hidden[-1])
        if not self.moving:
            return Outputs(still)
        return Outputs(still, linear(hidden, self.head.weight[self.moving], self.head.bias[self.moving]))


def remember(recurrent: torch.nn.LSTM, bias: float = 3.0) -> None:
    """Open the forget gates at the start, so that gradients reach back.

    Gers et al. (2000), doi:10.1162/089976600300015015. With a bias of 3 half of a cell is left after
    two weeks, which is nearer to snow and groundwater than the two days of the usual bias of 1.
    """
    with torch.no_grad():
        for name, values in recurrent.named_parameters():
            if name.startswith("bias_hh"):
                values[recurrent.hidden_size : 2 * recurrent.hidden_size] += bias
