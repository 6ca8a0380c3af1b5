"""Everything training needs as tensors, and windows cut out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from xdpl.networks.base import Inputs
from xdpl.training.losses import Spread
from xdpl.training.objective import Answers

__all__ = ["Batch", "Samples"]


@dataclass(frozen=True)
class Batch:
    """Windows to be simulated; the first `warmup` steps carry no loss.

    Parameters
    ----------
    forcings : mapping of str to Tensor, (warmup + window, series)
    inputs : Inputs
        Of the network.
    warmup : int
    sites : Tensor of int, (series,), optional
        Which site each series is of, for operators with a scale of their own.
    begins : Tensor of int, (series,), optional
        Position in the record of the first step of each series, for programs that read dates.
    """

    forcings: Mapping[str, Tensor]
    inputs: Inputs
    warmup: int
    sites: Tensor | None = None
    begins: Tensor | None = None


@dataclass(frozen=True)
class Samples:
    """All sites over the whole record, on one device.

    Parameters
    ----------
    forcings : mapping of str to Tensor, (time, site)
        In declared units.
    observed : mapping of str to Tensor, (time, site)
        Targets in the units of the model, NaN where there is none.
    spread : mapping of str to Spread
        Of all sites.
    attributes : Tensor, (site, attribute)
        Normalised.
    weather : Tensor, (time, site, forcing), optional
        Normalised forcings, for networks that read them.
    past : Tensor, (steps + time, site, forcing + 2 response), optional
        What networks with a history of `steps` read, with that many zeros in front.
    steps : int
        Length of the history.
    groups : Tensor of int, (site,), optional
        Which group a site is in.
    """

    forcings: Mapping[str, Tensor]
    observed: Mapping[str, Tensor]
    spread: Mapping[str, Spread]
    attributes: Tensor
    weather: Tensor | None = None
    past: Tensor | None = None
    steps: int = 0
    groups: Tensor | None = None

    @property
    def device(self) -> torch.device:
        """Where everything lies."""
        return self.attributes.device

    def cut(self, sites: Tensor, starts: Tensor, warmup: int, window: int) -> Batch:
        """Windows of `window` steps at `starts`, after `warmup` steps before them.

        Parameters
        ----------
        sites, starts : Tensor of int, (series,)
        """
        sites, starts = sites.to(self.device), starts.to(self.device)
        time = self._times(starts, -warmup, window)
        weather = None if self.weather is None else self.weather[time, sites]
        # Its first row is `steps` before the record: the rows from `starts` on end right before it.
        history = None if self.past is None else self.past[self._times(starts, 0, self.steps), sites]
        return Batch(
            {k: v[time, sites] for k, v in self.forcings.items()},
            Inputs(self.attributes[sites], weather, history),
            warmup,
            sites,
            starts - warmup,
        )

    def answers(self, sites: Tensor, starts: Tensor, window: int) -> Answers:
        """What was observed in the same windows."""
        sites, starts = sites.to(self.device), starts.to(self.device)
        time = self._times(starts, 0, window)
        return Answers(
            {k: v[time, sites] for k, v in self.observed.items()},
            {k: Spread(v.std[sites], v.typical) for k, v in self.spread.items()},
            None if self.groups is None else self.groups[sites],
        )

    @staticmethod
    def _times(starts: Tensor, first: int, last: int) -> Tensor:
        return starts[None, :] + torch.arange(first, last, device=starts.device)[:, None]
