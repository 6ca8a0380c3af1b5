"""A network on attributes, and a recurrent one for what moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from xdpl.networks.base import (
    Inputs,
    Network,
    Outputs,
    Sizes,
    check_counts,
    check_fractions,
    check_widths,
    zeroed,
)
from xdpl.networks.lstm import remember
from xdpl.networks.mlp import MLP

__all__ = ["Hybrid"]


@dataclass(frozen=True)
class Hybrid(Network):
    """Static parameters from attributes alone; a recurrent network adds what moves.

    Static parameters do not depend on the weather of the run, as those of `LSTM` do, and
    can be trained first (`pretrain` of `xdpl.learn`) at the cost of an `MLP`. Dynamic ones
    are these plus a series that starts at zero. Without dynamic ones it is an `MLP`.

    Parameters
    ----------
    hidden : int
        Width of the recurrent layer.
    static : tuple of int
        Widths of the hidden layers on attributes.
    embedding : int
        Numbers that stand for the attributes in the recurrent part.
    dropout : float
        Fraction of the hidden units of both parts dropped while training, 0 to below 1.

    Raises
    ------
    ValueError
        If a width is not positive or the dropout is outside [0, 1).
    """

    hidden: int = 32
    static: tuple[int, ...] = (64, 64)
    embedding: int = 16
    dropout: float = 0.0

    kind: ClassVar[str] = "hybrid"
    reads_forcings: ClassVar[bool] = True
    static_first: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_counts(hidden=self.hidden, embedding=self.embedding)
        check_widths(static=self.static)
        check_fractions(dropout=self.dropout)

    def build(self, sizes: Sizes) -> torch.nn.Module:
        """Layers on attributes, and a recurrent layer on forcings; the last of both set to zero."""
        return _TwoParts(self, sizes)


class _TwoParts(torch.nn.Module):
    def __init__(self, spec: Hybrid, sizes: Sizes) -> None:
        super().__init__()
        self.moving = list(sizes.moving)
        self.still = MLP(spec.static, spec.dropout).build(sizes)
        if not self.moving:
            return
        self.embedding = torch.nn.Linear(len(sizes.attributes), spec.embedding)
        self.forcings = torch.nn.Linear(len(sizes.forcings), spec.hidden)
        self.attributes = torch.nn.Linear(spec.embedding, spec.hidden, bias=False)
        self.recurrent = torch.nn.LSTM(spec.hidden, spec.hidden)
        self.dropout = torch.nn.Dropout(spec.dropout)
        self.head = zeroed(torch.nn.Linear(spec.hidden, len(sizes.moving)))
        remember(self.recurrent)

    def forward(self, inputs: Inputs) -> Outputs:
        still = self.still(inputs).still
        if inputs.forcings is None or not self.moving:
            return Outputs(still)
        place = self.attributes(torch.tanh(self.embedding(inputs.attributes)))
        hidden, _ = self.recurrent(torch.relu(self.forcings(inputs.forcings) + place))
        return Outputs(still, still[:, self.moving] + self.head(self.dropout(hidden)))
