"""Recurrent network on what was observed before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from xdpl.networks.base import Inputs, Network, Outputs, Sizes, check_counts, check_fractions, zeroed
from xdpl.networks.lstm import remember

__all__ = ["History"]


@dataclass(frozen=True)
class History(Network):
    """Network on attributes and the history of forcings and observed responses, g_Z.

    It reads the days before those that it is to predict, and nothing of these: parameters
    stay the same whatever is observed later. Where no response was observed it falls
    back on forcings and attributes.

    Parameters
    ----------
    steps : int
        Length of the history.
    hidden : int
        Width of the recurrent layer.
    dropout : float
        Fraction of the recurrent layer's outputs dropped while training, 0 to below 1.
    blind : float
        Fraction of the sites of a batch whose responses are hidden while training, so
        that the network learns what to do without them, 0 to below 1.

    Raises
    ------
    ValueError
        If a length or width is not positive or a fraction is outside [0, 1).

    References
    ----------
    Tsai et al. (2021), doi:10.1038/s41467-021-26107-z.
    """

    steps: int = 365
    hidden: int = 64
    dropout: float = 0.0
    blind: float = 0.2

    kind: ClassVar[str] = "history"

    def __post_init__(self) -> None:
        check_counts(steps=self.steps, hidden=self.hidden)
        check_fractions(dropout=self.dropout, blind=self.blind)

    def build(self, sizes: Sizes) -> torch.nn.Module:
        """Recurrent layer over the history; the last state gives the parameters."""
        return _Past(self, sizes)


class _Past(torch.nn.Module):
    def __init__(self, spec: History, sizes: Sizes) -> None:
        super().__init__()
        self.blind = spec.blind
        self.responses = len(sizes.responses)
        self.past = torch.nn.Linear(len(sizes.forcings) + 2 * self.responses, spec.hidden)
        self.attributes = torch.nn.Linear(len(sizes.attributes), spec.hidden, bias=False)
        self.recurrent = torch.nn.LSTM(spec.hidden, spec.hidden)
        self.dropout = torch.nn.Dropout(spec.dropout)
        self.head = zeroed(torch.nn.Linear(spec.hidden, len(sizes.columns)))
        remember(self.recurrent)

    def forward(self, inputs: Inputs) -> Outputs:
        assert inputs.history is not None
        past = self._blinded(inputs.history) if self.training and self.blind else inputs.history
        hidden, _ = self.recurrent(torch.relu(self.past(past) + self.attributes(inputs.attributes)))
        return Outputs(self.head(self.dropout(hidden[-1])))

    def _blinded(self, history: Tensor) -> Tensor:
        seen = torch.rand(history.shape[1], 1, device=history.device) >= self.blind
        first = history.shape[2] - 2 * self.responses
        shown = torch.where(seen, history[..., first:], 0.0)
        return torch.cat([history[..., :first], shown], dim=2)
