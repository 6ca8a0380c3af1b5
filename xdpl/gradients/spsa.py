"""Gradients by moving all parameters at once."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from xdpl.errors import Problems
from xdpl.gradients.base import Perturbation, check_step
from xdpl.gradients.moves import Moves

__all__ = ["SPSA"]


@dataclass(frozen=True)
class SPSA(Perturbation):
    """Simultaneous perturbation: each series moves all its parameters at once, by random signs.

    Two runs, one with each parameter on one side or the other and one with all of them on the other,
    give an estimate of the gradient whose mean is right and whose spread grows with the number of
    parameters. Each series of an update has signs of its own, so that in the weights of the network,
    which all series share, much of it averages out.

    Parameters
    ----------
    step : float
        How far parameters are moved, as a share of the distance between bounds on the linear or
        logarithmic scale of each; above 0, at most 0.5.
    draws : int
        How often signs are drawn for a gradient, 1 or more: 2 runs of a series each, and one at the
        parameters themselves.

    Raises
    ------
    InputErrors
        If the step or the number of draws is none.

    Notes
    -----
    Signs are drawn with the seed of `xdpl.learn`. Within a step of a bound both points are moved
    inward: nothing is run outside the bounds.

    References
    ----------
    Spall (1992), doi:10.1109/9.119632.
    """

    step: float = 0.05
    draws: int = 1

    def __post_init__(self) -> None:
        problems = Problems("SPSA")
        check_step(self.step, problems, "step=0.05")
        draws: Any = self.draws
        whole = isinstance(draws, numbers.Integral) and not isinstance(draws, bool)
        if not (whole and int(draws) >= 1):
            problems.add("draws", expected="an integer of at least 1", got=repr(draws), fix="draws=1")
        problems.raise_if_any()
        object.__setattr__(self, "step", float(self.step))
        object.__setattr__(self, "draws", int(self.draws))

    def runs(self, parameters: int) -> int:
        """Runs of each series of an update, however many parameters there are."""
        return 1 + 2 * self.draws

    def moves(self, place: Tensor) -> Moves:
        """All parameters of each series, to random sides."""
        # On the host, so that the numbers are the same wherever the network is.
        up = (torch.rand((self.draws, *place.shape)) < 0.5).to(place.device)
        low = (place - self.step).clamp(0.0, 1.0 - 2.0 * self.step)
        high = low + 2.0 * self.step
        points = torch.cat([torch.where(up, low, high), torch.where(up, high, low)])
        signs = torch.where(up, 1.0, -1.0).to(place.dtype)
        numbers = torch.arange(1, self.draws + 1, device=place.device)
        return Moves(points, numbers, numbers + self.draws, signs / (2.0 * self.step * self.draws))
