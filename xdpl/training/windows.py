"""Which site and which window come next."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Windows"]


@dataclass(frozen=True)
class Windows:
    """Where windows may start, and a seeded order through them.

    Parameters
    ----------
    sites : Tensor of int, (site,)
        Sites to draw from.
    first, last : int
        First and last time index with a loss.
    warmup, window : int
        Steps before a window, and in it.
    batch : int
        Series per update.
    coverage : float, optional
        Probability with which an epoch reaches a day of a site, 0 to below 1; days closer to
        the ends of the period than a window are in fewer windows, and reached less often.
        One pass over sites and period, if not given, which comes to about 0.63.
    """

    sites: Tensor
    first: int
    last: int
    warmup: int
    window: int
    batch: int
    coverage: float | None = None

    @property
    def updates(self) -> int:
        """Updates per epoch."""
        days = self.last - self.first + 1
        if self.coverage is None:
            return -(-len(self.sites) * max(1, round(days / self.window)) // self.batch)
        share = self.window / days
        # Each window misses a day of its site with probability 1 - share; sites take turns.
        rounds = 1.0 if share >= 1 else math.log(1 - self.coverage) / math.log(1 - share)
        return max(1, math.ceil(rounds * len(self.sites) / self.batch))

    def epoch(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """Sites and starts (series,) of the batches of one epoch: sites shuffled, starts uniform.

        Parameters
        ----------
        generator : Generator
            On the CPU; its state is all there is to resume from.
        """
        series = self.updates * self.batch
        rounds = -(-series // len(self.sites))
        order = torch.cat([torch.randperm(len(self.sites), generator=generator) for _ in range(rounds)])
        free = self.last - self.first + 1 - self.window
        starts = self.first + torch.randint(0, free + 1, (series,), generator=generator)
        for i in range(self.updates):
            part = slice(i * self.batch, (i + 1) * self.batch)
            yield self.sites[order[part]], starts[part]
