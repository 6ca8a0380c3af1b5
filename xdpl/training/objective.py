"""What is minimised: one loss, or the weighted sum of several targets'."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from xdpl.training.losses import LOSSES, Spread
from xdpl.training.observer import PENALTY

__all__ = ["Answers", "Objective", "departures"]


@dataclass(frozen=True)
class Answers:
    """What was observed in the windows of a batch.

    Parameters
    ----------
    observed : mapping of str to Tensor, (window, series)
        Of each target, NaN where there is no observation.
    spread : mapping of str to Spread
    """

    observed: Mapping[str, Tensor]
    spread: Mapping[str, Spread]

    @classmethod
    def joined(cls, parts: Sequence[Answers]) -> Answers:
        """Those of several batches, one after the other."""
        first = parts[0]
        return cls(
            {k: torch.cat([p.observed[k] for p in parts], dim=1) for k in first.observed},
            {
                k: Spread(torch.cat([p.spread[k].std for p in parts]), v.typical)
                for k, v in first.spread.items()
            },
        )


@dataclass(frozen=True)
class Objective:
    """Losses of the targets and their weights.

    Parameters
    ----------
    losses : mapping of str to str
        Name of the loss of each target.
    weights : mapping of str to float
    centred : collection of str
        Targets of which both series lose their own means.
    """

    losses: Mapping[str, str]
    weights: Mapping[str, float]
    centred: Collection[str] = ()

    def __call__(self, simulated: Mapping[str, Tensor], answers: Answers) -> Tensor:
        """Weighted sum of the losses, and what observation operators cost.

        Parameters
        ----------
        simulated : mapping of str to Tensor, (window, series)
        answers : Answers
        """
        parts = [
            self.weights[name] * LOSSES[loss](*self._pair(name, simulated, answers), answers.spread[name])
            for name, loss in self.losses.items()
        ]
        if PENALTY in simulated:
            parts.append(simulated[PENALTY].mean())
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def _pair(self, name: str, simulated: Mapping[str, Tensor], answers: Answers) -> tuple[Tensor, Tensor]:
        pair = simulated[name], answers.observed[name]
        return departures(*pair) if name in self.centred else pair


def departures(simulated: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
    """Both (time, series) less their means over the days with an observation."""
    seen = ~torch.isnan(observed)
    count = seen.sum(dim=0).clamp(min=1)
    means = [torch.where(seen, v, 0.0).sum(dim=0) / count for v in (simulated, observed)]
    return simulated - means[0], observed - means[1]
