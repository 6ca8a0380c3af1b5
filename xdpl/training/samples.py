"""Everything training needs as tensors, and batches of (site, window) pairs of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Batch", "Samples", "Windows"]


@dataclass(frozen=True)
class Batch:
    """Windows cut out for one update; the first `warmup` steps carry no loss.

    Parameters
    ----------
    forcings : mapping of str to Tensor, (warmup + window, series)
    observed : Tensor, (window, series)
    attributes : Tensor, (series, attribute)
    scale : Tensor, (series,)
    warmup : int
    """

    forcings: Mapping[str, Tensor]
    observed: Tensor
    attributes: Tensor
    scale: Tensor
    warmup: int


@dataclass(frozen=True)
class Samples:
    """All sites over the whole record, on one device.

    Parameters
    ----------
    forcings : mapping of str to Tensor, (time, site)
        In declared units.
    observed : Tensor, (time, site)
        Target in the units of the model, NaN where there is none.
    attributes : Tensor, (site, attribute)
        Normalised.
    scale : Tensor, (site,)
        Spread of the training observations.
    """

    forcings: Mapping[str, Tensor]
    observed: Tensor
    attributes: Tensor
    scale: Tensor

    def cut(self, sites: Tensor, starts: Tensor, warmup: int, window: int) -> Batch:
        """Windows of `window` steps at `starts`, after `warmup` steps before them.

        Parameters
        ----------
        sites, starts : Tensor of int, (series,)
        """
        offsets = torch.arange(-warmup, window, device=starts.device)[:, None]
        time = starts[None, :] + offsets
        return Batch(
            {k: v[time, sites[None, :]] for k, v in self.forcings.items()},
            self.observed[time[warmup:], sites[None, :]],
            self.attributes[sites],
            self.scale[sites],
            warmup,
        )


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
    """

    sites: Tensor
    first: int
    last: int
    warmup: int
    window: int
    batch: int

    @property
    def updates(self) -> int:
        """Updates per epoch: each site's period is covered once on average."""
        per_site = max(1, round((self.last - self.first + 1) / self.window))
        return -(-len(self.sites) * per_site // self.batch)

    def epoch(self, samples: Samples, generator: torch.Generator) -> Iterator[Batch]:
        """Batches of one epoch: sites shuffled, starts drawn uniformly.

        Parameters
        ----------
        samples : Samples
        generator : Generator
            On the CPU; its state is all there is to resume from.
        """
        series = self.updates * self.batch
        rounds = -(-series // len(self.sites))
        order = torch.cat([torch.randperm(len(self.sites), generator=generator) for _ in range(rounds)])
        free = self.last - self.first + 1 - self.window
        starts = self.first + torch.randint(0, free + 1, (series,), generator=generator)
        device = samples.observed.device
        for i in range(self.updates):
            part = slice(i * self.batch, min((i + 1) * self.batch, series))
            sites = self.sites[order[part]].to(device)
            yield samples.cut(sites, starts[part].to(device), self.warmup, self.window)
