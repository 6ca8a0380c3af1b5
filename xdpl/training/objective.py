"""What is minimised: one loss, or the weighted sum of several targets'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from xdpl.training.losses import LOSSES, Spread

__all__ = ["Answers", "Objective"]


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
    """

    losses: Mapping[str, str]
    weights: Mapping[str, float]

    def __call__(self, simulated: Mapping[str, Tensor], answers: Answers) -> Tensor:
        """Weighted sum of the losses.

        Parameters
        ----------
        simulated : mapping of str to Tensor, (window, series)
        answers : Answers
        """
        parts = [
            self.weights[name] * LOSSES[loss](simulated[name], answers.observed[name], answers.spread[name])
            for name, loss in self.losses.items()
        ]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total
