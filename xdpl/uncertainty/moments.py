"""Mean and spread of the parameters of some fits, on the unbounded scale; what is drawn with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from xdpl.fit import Fit
from xdpl.uncertainty.unbounded import ordering_of, to_unbounded

__all__ = ["Moments"]

_DRAW = "draw"


@dataclass(frozen=True)
class Moments:
    """Of a normal distribution of which some draws are known, and nothing else.

    What one more draw would be is then distributed as Student's t with one degree of freedom less than there
    are draws, around their mean, with their standard deviation times √(1 + 1 / n): five fits tell their
    own spread poorly, and a normal distribution of that spread holds 83 % where it should hold 90 %. (Gelman
    et al. 2013, Bayesian Data Analysis, section 3.2.) Of many draws it is the normal one.

    Parameters
    ----------
    mean : Dataset
        Of each parameter.
    apart : Dataset
        Of each fit, along ``draw``, from the mean.
    scale : float
        What deviations are multiplied by.
    """

    mean: xr.Dataset
    apart: xr.Dataset
    scale: float

    @classmethod
    def of(cls, fits: Sequence[Fit], ds: xr.Dataset, scale: float) -> Moments:
        """Of the parameters that fits give at the sites of a dataset."""
        each = [to_unbounded(fit.parameters(ds), fit.model, ordering_of(fit)) for fit in fits]
        all_of = xr.concat(each, dim=_DRAW, coords="minimal", compat="override", join="exact")
        mean = all_of.mean(_DRAW, skipna=False)
        return cls(mean, all_of - mean, scale)

    @property
    def count(self) -> int:
        """Number of draws that are known."""
        return self.apart.sizes[_DRAW]

    @property
    def _factor(self) -> float:
        return self.scale * float(np.sqrt((1.0 + 1.0 / self.count) / (self.count - 1)))

    def samples(self, samples: int, seed: int) -> dict[str, xr.DataArray]:
        """Of each parameter (sample, ...); all sites and parameters vary together."""
        generator = np.random.default_rng(seed)
        normal = generator.normal(size=(samples, self.count))
        freedom = self.count - 1
        # One number for a whole sample: a multivariate t, whose maps keep their pattern.
        tails = np.sqrt(freedom / generator.chisquare(freedom, size=samples))
        noise = xr.DataArray(normal * tails[:, None] * self._factor, dims=("sample", _DRAW))
        found = {}
        for name, mean in self.mean.data_vars.items():
            drawn = (mean + xr.dot(noise, self.apart[name], dim=_DRAW)).transpose("sample", ...)
            # A product of lazy arrays comes in smaller blocks than they have.
            found[str(name)] = drawn.chunk({"sample": -1} | dict(mean.chunksizes)) if mean.chunks else drawn
        return found

    def quantiles(self, quantiles: Sequence[float]) -> dict[str, xr.DataArray]:
        """Of each parameter (quantile, ...)."""
        from scipy.special import stdtrit

        points = xr.DataArray(stdtrit(self.count - 1, np.asarray(quantiles)), dims="quantile")
        found = {}
        for name in self.mean.data_vars:
            spread = np.sqrt((self.apart[name] ** 2).sum(_DRAW, skipna=False))
            array = self.mean[name] + points * self._factor * spread
            found[str(name)] = array.transpose("quantile", ...)
        return found
