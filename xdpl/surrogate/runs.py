"""Runs of a model that grow in number, and how many they were."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, reduce
from operator import and_

import xarray as xr

from xdpl.labelled.host import on_host
from xdpl.models import Model
from xdpl.simulate import simulate
from xdpl.surrogate.design import DRAW
from xdpl.surrogate.places import rows

__all__ = ["Runs"]


class Runs:
    """What a model gave with which parameters.

    Parameters
    ----------
    weather : Dataset
        Forcings under their names in the model, over time and the site dims.
    model : Model
    outputs : sequence of str
        What is kept.
    """

    def __init__(self, weather: xr.Dataset, model: Model, outputs: Sequence[str]) -> None:
        self.weather = weather
        self.model = model
        self.outputs = list(outputs)
        #: Runs of single sites so far.
        self.count = 0
        self._parts: list[tuple[xr.Dataset, xr.Dataset]] = []

    def run(self, parameters: xr.Dataset, sites: xr.DataArray | None = None) -> xr.Dataset:
        """Outputs (time, draw, *site dims) with parameters (draw, *site dims); NaN at other sites."""
        weather = self.weather if sites is None else self.weather.where(sites)
        self.note(parameters.sizes[DRAW], sites)
        return self._simulated(weather, parameters)

    def grow(self, parameters: xr.Dataset, sites: xr.DataArray) -> None:
        """Run with parameters (draw, *site dims) at some sites, and keep it as `add` does."""
        part = parameters.isel(rows(sites), missing_dims="ignore")
        self.note(parameters.sizes[DRAW], sites)
        self._keep(part, self._simulated(self.at(sites), part))

    def note(self, each: int, sites: xr.DataArray | None = None) -> None:
        """Count runs that were made elsewhere, so many of each site."""
        there = self.usable if sites is None else self.usable & sites
        self.count += each * int(there.sum())

    def add(self, parameters: xr.Dataset, simulated: xr.Dataset, sites: xr.DataArray) -> None:
        """Keep those of some sites, always the same, for the training of the next surrogate."""
        there = rows(sites)
        part = parameters.isel(there, missing_dims="ignore")
        self._keep(part, simulated.where(sites).isel(there))

    @property
    def parameters(self) -> xr.Dataset:
        """Of all that were kept, (draw, *site dims)."""
        return _together([parameters for parameters, _ in self._parts])

    @property
    def simulated(self) -> xr.Dataset:
        """What the model gave with them, (time, draw, *site dims)."""
        return _together([simulated for _, simulated in self._parts])

    @cached_property
    def usable(self) -> xr.DataArray:
        """Sites that have forcings."""
        known = (self.weather[f.name].notnull().any("time") for f in self.model.forcings)
        return reduce(and_, known).reset_coords(drop=True).compute()

    def at(self, sites: xr.DataArray) -> xr.Dataset:
        """Forcings of some sites: without rows in which there is none, NaN at others, which are not run."""
        there = rows(sites)
        return self.weather.isel(there).where(sites.isel(there))

    def _simulated(self, weather: xr.Dataset, parameters: xr.Dataset) -> xr.Dataset:
        found = simulate(weather, self.model, parameters, outputs=self.outputs)
        return xr.Dataset({k: on_host(found[k]) for k in self.outputs}).compute()

    def _keep(self, parameters: xr.Dataset, simulated: xr.Dataset) -> None:
        parts = (parameters.reset_coords(drop=True).compute(), simulated.reset_coords(drop=True))
        self._parts.append(parts)


def _together(parts: list[xr.Dataset]) -> xr.Dataset:
    return xr.concat(parts, DRAW, coords="minimal", compat="override", join="exact", combine_attrs="override")
