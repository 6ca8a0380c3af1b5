"""What is minimised: one loss, or the weighted sum of several targets'."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from xdpl.training.losses import LOSSES, PER_SITE, Spread
from xdpl.training.observer import PENALTY
from xdpl.training.priors import PRIOR
from xdpl.training.regimes import Emphasis, by_group
from xdpl.training.sources import FAILED

__all__ = ["Answers", "Objective", "departures"]


@dataclass(frozen=True)
class Answers:
    """What was observed in the windows of a batch.

    Parameters
    ----------
    observed : mapping of str to Tensor, (window, series)
        Of each target, NaN where there is no observation.
    spread : mapping of str to Spread
    groups : Tensor of int, (series,), optional
        Group of the site of each series.
    """

    observed: Mapping[str, Tensor]
    spread: Mapping[str, Spread]
    groups: Tensor | None = None

    def of(self, places: Tensor) -> Answers:
        """Those of some series."""
        return Answers(
            {k: v[:, places] for k, v in self.observed.items()},
            {k: Spread(v.std[places], v.typical) for k, v in self.spread.items()},
        )

    def without(self, failed: Tensor) -> Answers:
        """As if nothing had been observed of some series, which are of no group either.

        Parameters
        ----------
        failed : Tensor of bool, (series,)
        """
        return Answers(
            {k: torch.where(failed, torch.nan, v) for k, v in self.observed.items()},
            self.spread,
            None if self.groups is None else torch.where(failed, -1, self.groups),
        )

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
            None if first.groups is None else torch.cat([p.groups for p in parts if p.groups is not None]),
        )


@dataclass(frozen=True)
class Objective:
    """Losses of the targets and their weights, and how sites count.

    Parameters
    ----------
    losses : mapping of str to str
        Name of the loss of each target.
    weights : mapping of str to float
    how : {"pooled", "per-site", "stratified", "group-dro"}
    emphasis : Emphasis, optional
        Of groups of sites, where there are some.
    centred : collection of str
        Targets of which both series lose their own means.
    """

    losses: Mapping[str, str]
    weights: Mapping[str, float]
    how: str = "pooled"
    emphasis: Emphasis | None = None
    centred: Collection[str] = ()

    def __call__(self, simulated: Mapping[str, Tensor], answers: Answers) -> Tensor:
        """What is validated: the weighted sum of the losses; of groups their mean, or the worst.

        Parameters
        ----------
        simulated : mapping of str to Tensor, (window, series)
        answers : Answers
        """
        if self.how in ("pooled", "per-site"):
            return self._of(simulated, answers)
        losses = self.of_groups(simulated, answers)
        known = losses[~torch.isnan(losses)]
        return known.max() if self.how == "group-dro" else known.mean()

    def training(self, simulated: Mapping[str, Tensor], answers: Answers) -> tuple[Tensor, Tensor | None]:
        """What is minimised, and the losses of groups (group,), NaN where a batch has none of it."""
        if self.emphasis is None:
            return self._of(simulated, answers), None
        losses = self.of_groups(simulated, answers)
        if self.how in ("pooled", "per-site"):
            return self._of(simulated, answers), losses.detach()
        self.emphasis.learn(losses)
        return self.emphasis.total(losses), losses.detach()

    def of_groups(self, simulated: Mapping[str, Tensor], answers: Answers) -> Tensor:
        """Loss of the series of each group, (group,); NaN where there are none."""
        assert self.emphasis is not None
        answers = _counted(simulated, answers)
        assert answers.groups is not None

        def loss(places: Tensor) -> Tensor:
            return self._of({k: v[..., places] for k, v in simulated.items()}, answers.of(places))

        return by_group(loss, answers.groups, self.emphasis.count)

    def _of(self, simulated: Mapping[str, Tensor], answers: Answers) -> Tensor:
        known = PER_SITE if self.how == "per-site" else LOSSES
        answers = _counted(simulated, answers)
        parts = [
            self.weights[name] * known[loss](*self._pair(name, simulated, answers), answers.spread[name])
            for name, loss in self.losses.items()
        ]
        parts += [simulated[cost].mean() for cost in (PENALTY, PRIOR) if cost in simulated]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def _pair(self, name: str, simulated: Mapping[str, Tensor], answers: Answers) -> tuple[Tensor, Tensor]:
        pair = simulated[name], answers.observed[name]
        return departures(*pair) if name in self.centred else pair


def _counted(simulated: Mapping[str, Tensor], answers: Answers) -> Answers:
    """Less those of series whose runs have failed."""
    failed = simulated.get(FAILED)
    return answers if failed is None else answers.without(failed[0] > 0)


def departures(simulated: Tensor, observed: Tensor) -> tuple[Tensor, Tensor]:
    """Both (time, series) less their means over the days with an observation."""
    seen = ~torch.isnan(observed)
    count = seen.sum(dim=0).clamp(min=1)
    means = [torch.where(seen, v, 0.0).sum(dim=0) / count for v in (simulated, observed)]
    return simulated - means[0], observed - means[1]
