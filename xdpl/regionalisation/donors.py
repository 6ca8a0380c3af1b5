"""Parameters of the calibrated sites that are nearest, in attributes or on the globe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xdpl.models import Parameter
from xdpl.networks.scaling import Moments
from xdpl.regionalisation.arrays import as_like, normal

__all__ = ["Donors"]

Array = Any

# Sites whose distances to all donors are held at once.
_TILE = 4096
# Distances that differ by less are equal: neighbours on a grid, but for rounding. In units of a
# standard deviation, or of the radius of the Earth: 6 mm.
_STEP = 1e-9


@dataclass(frozen=True)
class Donors:
    """Calibrated sites, of which the nearest give their parameters.

    Parameters
    ----------
    parameters : tuple of Parameter
    moments : Moments
        Of the columns, which are normalised with them.
    places : ndarray, (donor, column)
        Normalised.
    values : ndarray, (donor, parameter)
        In declared units.
    count : int
        How many give their parameters to a site.
    average : {"outputs", "parameters"}
        What is averaged over them: simulations, or the parameters themselves.
    """

    parameters: tuple[Parameter, ...]
    moments: Moments
    places: np.ndarray
    values: np.ndarray
    count: int
    average: str

    @classmethod
    def of(
        cls,
        parameters: Sequence[Parameter],
        values: np.ndarray,
        columns: np.ndarray,
        moments: Moments,
        count: int,
        average: str,
    ) -> Donors:
        """Donors with calibrated values (site, parameter) and what they are known by (site, column)."""
        return cls(tuple(parameters), moments, moments.normal(columns), values, count, average)

    def __call__(self, xp: Any, columns: Array) -> list[Array]:
        """Values of each parameter (site,), or those of each donor (site, member), the nearest first."""
        which = self.nearest(xp, columns)
        flat = xp.reshape(which, (-1,))
        found = []
        for i, p in enumerate(self.parameters):
            values = xp.take(as_like(xp, self.values[:, i], columns), flat, axis=0)
            values = xp.reshape(values, which.shape)
            found.append(values if self.members > 1 else self._mean(xp, p, values))
        return found

    def nearest(self, xp: Any, columns: Array) -> Array:
        """Positions (site, donor) of the nearest among the donors; of equally near ones, the first."""
        predictors = normal(xp, columns, self.moments)
        places = as_like(xp, self.places, columns)
        count = predictors.shape[0]
        parts = []
        for start in range(0, max(count, 1), _TILE):
            tile = predictors[start : min(start + _TILE, count), :]
            apart = (tile[:, j][:, None] - places[:, j][None, :] for j in range(places.shape[1]))
            steps = xp.round(xp.sqrt(sum((a**2 for a in apart), 0.0)) / _STEP)
            parts.append(xp.argsort(steps, axis=1, stable=True)[:, : self.count])
        return xp.concat(parts, axis=0)

    @property
    def members(self) -> int:
        """Parameter sets of each site."""
        return self.count if self.average == "outputs" else 1

    def _mean(self, xp: Any, p: Parameter, values: Array) -> Array:
        """Mean over donors (site, donor); of logarithms, where the scale of the parameter is logarithmic."""
        if self.count == 1:
            return values[:, 0]
        log = p.scale == "log"
        mean = xp.exp(xp.mean(xp.log(values), axis=1)) if log else xp.mean(values, axis=1)
        return xp.clip(mean, p.lower, p.upper)

    def to_dataset(self) -> xr.Dataset:
        """All arrays, named by what they are."""
        return xr.Dataset(
            {
                "column_mean": ("column", self.moments.mean),
                "column_std": ("column", self.moments.std),
                "place": (("donor", "column"), self.places),
                "value": (("donor", "parameter"), self.values),
            }
        )

    @classmethod
    def from_dataset(
        cls, ds: xr.Dataset, parameters: Sequence[Parameter], *, donors: int, average: str
    ) -> Donors:
        """What `to_dataset` gave."""
        moments = Moments(ds["column_mean"].values, ds["column_std"].values)
        return cls(tuple(parameters), moments, ds["place"].values, ds["value"].values, donors, average)
