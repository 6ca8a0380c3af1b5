"""How sites count in what is minimised: all at once, each by itself, or group by group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from xdpl.objectives import GroupDRO

__all__ = ["Emphasis"]


@dataclass
class Emphasis:
    """Weights of groups of sites.

    Parameters
    ----------
    count : int
        Number of groups.
    rule : GroupDRO, optional
        Moves the weights while training; they stay equal without it.

    Attributes
    ----------
    weights : Tensor, (group,)
        Sum to one.
    """

    count: int
    rule: GroupDRO | None = None
    weights: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.weights = torch.full((self.count,), 1.0 / self.count)

    def learn(self, losses: Tensor) -> None:
        """Move the weights towards groups that lose more; NaN marks groups that are not in the batch."""
        if self.rule is None:
            return
        losses = losses.detach().to(self.weights)
        present = ~torch.isnan(losses)
        # In units of their mean: a step is the same for soil moisture in m3 m-3 and streamflow in mm d-1.
        relative = torch.where(present, losses / losses[present].mean() - 1.0, 0.0)
        weights = self.weights * torch.exp(self.rule.step * relative)
        self.weights = weights / weights.sum()

    def total(self, losses: Tensor) -> Tensor:
        """Weighted mean over the groups that are there."""
        present = ~torch.isnan(losses.detach())
        weights = self.shares().to(losses)[present]
        return (weights * losses[present]).sum() / weights.sum()

    def shares(self) -> Tensor:
        """What each group counts, (group,): the weights, and an equal part for all."""
        if self.rule is None:
            return self.weights
        return self.rule.floor / self.count + (1.0 - self.rule.floor) * self.weights


def by_group(loss: Callable[[Tensor], Tensor], groups: Tensor, count: int) -> Tensor:
    """A loss of the series of each group, (group,); NaN where there are none.

    Parameters
    ----------
    loss : callable
        Positions of series to their loss.
    groups : Tensor of int, (series,)
    count : int
    """
    found = []
    for group in range(count):
        places = torch.nonzero(groups == group).squeeze(1)
        found.append(loss(places) if len(places) else torch.full((), torch.nan, device=groups.device))
    return torch.stack(found)
