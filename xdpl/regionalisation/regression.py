"""Two-step regression: calibrated parameters, then their relation to attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xdpl.models import Parameter
from xdpl.networks.scaling import Moments
from xdpl.regionalisation.arrays import normal
from xdpl.regionalisation.line import from_line, to_line
from xdpl.regionalisation.ridge import Ridge, ridge

__all__ = ["Regression"]

Array = Any


@dataclass(frozen=True)
class Regression:
    """Each parameter, moved to the whole line, is a linear function of normalised attributes.

    Parameters
    ----------
    parameters : tuple of Parameter
    moments : Moments
        Of the attributes of the sites it was fitted to.
    relation : Ridge
        Of the logarithms of the odds to the normalised attributes.
    """

    parameters: tuple[Parameter, ...]
    moments: Moments
    relation: Ridge

    @classmethod
    def fitted(cls, parameters: Sequence[Parameter], values: np.ndarray, columns: np.ndarray) -> Regression:
        """Fit to calibrated values (site, parameter) and attributes (site, attribute)."""
        moments = Moments.of(columns)
        odds = np.stack([to_line(p, values[:, i]) for i, p in enumerate(parameters)], axis=1)
        return cls(tuple(parameters), moments, ridge(moments.normal(columns), odds))

    @property
    def members(self) -> int:
        """Parameter sets of each site."""
        return 1

    def __call__(self, xp: Any, columns: Array) -> list[Array]:
        """Values (site,) of each parameter, from attributes (site, attribute); inside their bounds."""
        predictors = normal(xp, columns, self.moments)
        found = []
        for i, p in enumerate(self.parameters):
            odds = xp.zeros_like(columns[:, 0]) + float(self.relation.constants[i])
            # No matrix product: its rounding depends on how many sites are asked for.
            for j in range(predictors.shape[1]):
                odds = odds + float(self.relation.coefficients[i, j]) * predictors[:, j]
            found.append(from_line(xp, p, odds))
        return found

    def to_dataset(self) -> xr.Dataset:
        """All arrays, named by what they are."""
        relation = self.relation
        return xr.Dataset(
            {
                "attribute_mean": ("attribute", self.moments.mean),
                "attribute_std": ("attribute", self.moments.std),
                "coefficient": (("parameter", "attribute"), relation.coefficients),
                "constant": ("parameter", relation.constants),
                "penalty": ("parameter", relation.penalties),
                "explained": ("parameter", relation.explained),
            }
        )

    @classmethod
    def from_dataset(cls, ds: xr.Dataset, parameters: Sequence[Parameter], **_: Any) -> Regression:
        """What `to_dataset` gave."""
        names = ("coefficient", "constant", "penalty", "explained")
        moments = Moments(ds["attribute_mean"].values, ds["attribute_std"].values)
        return cls(tuple(parameters), moments, Ridge(*(ds[k].values for k in names)))
