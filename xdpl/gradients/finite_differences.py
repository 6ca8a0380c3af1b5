"""Gradients by moving one parameter after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from xdpl.errors import Problems
from xdpl.gradients.base import Perturbation, check_step
from xdpl.gradients.moves import Moves

__all__ = ["FiniteDifferences"]


@dataclass(frozen=True)
class FiniteDifferences(Perturbation):
    """Differences between runs, of which each has one parameter moved.

    Parameters
    ----------
    step : float
        How far, as a share of the distance between the bounds of a parameter on its linear or
        logarithmic scale; above 0, at most 0.5. Too small a step differentiates the rounding of
        the program, or what it prints; too large a one misses how the slope changes.
    central : bool
        Whether each parameter is moved both ways, 2P + 1 runs of a series for P parameters, with an
        error of the square of the step; else one way, P + 1 runs, with one of the step.

    Raises
    ------
    InputErrors
        If the step is none, or `central` no truth.

    Notes
    -----
    Within a step of a bound both points are moved inward: nothing is run outside the bounds.
    """

    step: float = 0.01
    central: bool = True

    def __post_init__(self) -> None:
        problems = Problems("FiniteDifferences")
        check_step(self.step, problems, "step=0.01")
        central: Any = self.central
        if not isinstance(central, bool):
            problems.add("central", expected="True or False", got=repr(central), fix="central=True")
        problems.raise_if_any()
        object.__setattr__(self, "step", float(self.step))

    def runs(self, parameters: int) -> int:
        """Runs of each series of an update: 2P + 1, or P + 1."""
        return 1 + parameters * (2 if self.central else 1)

    def moves(self, place: Tensor) -> Moves:
        """Each parameter by itself."""
        count = place.shape[1]
        own = torch.eye(count, dtype=place.dtype, device=place.device)[:, None, :]
        numbers = torch.arange(1, count + 1, device=place.device)
        if not self.central:
            signed = self.step * torch.where(place + self.step <= 1.0, 1.0, -1.0).to(place.dtype)
            return Moves(place + own * signed, torch.zeros_like(numbers), numbers, own / signed)
        low = (place - self.step).clamp(0.0, 1.0 - 2.0 * self.step)
        points = [torch.where(own > 0, end, place) for end in (low, low + 2.0 * self.step)]
        directions = (own / (2.0 * self.step)).expand(-1, len(place), -1)
        return Moves(torch.cat(points), numbers, numbers + count, directions)
