"""The scale of a distribution with which intervals hold what they should, at sites that trained nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.fit.source import simulate_with
from xdpl.labelled.host import on_host
from xdpl.uncertainty.moments import Moments
from xdpl.uncertainty.observations import Observations, observations
from xdpl.uncertainty.sampling import drawn
from xdpl.uncertainty.windows import Windows

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.uncertainty.posterior import Posterior

__all__ = ["Validation", "smallest_scale", "tune"]

# Scales that are tried: wider ones leave a parameter at its bounds, whatever its mean.
_RANGE = (1.0, 20.0)
_HALVINGS = 10
# Share of the variance of residuals within windows that is at least of observations.
_LEAST = 0.01


@dataclass(frozen=True)
class Validation:
    """What distributions are run on, and compared with.

    Parameters
    ----------
    ds : Dataset
        Without attributes where it is not run.
    data : Observations
    windows : dict of str to Windows
        Of each target.
    moments : Moments
        Of the parameters there; only the scale differs.
    samples, seed : int
        As of `Posterior.parameters`.
    """

    ds: xr.Dataset
    data: Observations
    windows: dict[str, Windows]
    moments: Moments
    samples: int
    seed: int

    def simulated(self, posterior: Posterior) -> dict[str, np.ndarray]:
        """Of each target (sample, time, site)."""
        moments = replace(self.moments, scale=posterior.scale)
        theta = drawn(posterior, self.ds, moments, self.samples, self.seed)
        series = simulate_with(posterior.fits[0], self.ds, theta, outputs=list(self.windows))
        start = self.data.batch.warmup
        found = {}
        for name, windows in self.windows.items():
            array = on_host(units.magnitude(series[name])).transpose("sample", "time", *self.data.grid.dims)
            values = np.asarray(array.values, dtype=np.float64).reshape(*array.shape[:2], -1)
            found[name] = values[:, start : start + len(windows.observed), self.data.used]
        return found

    def errors(self, simulated: Mapping[str, np.ndarray], known: Mapping[str, float]) -> dict[str, float]:
        """Observation error of each target: what single residuals scatter more than samples do."""
        found = {}
        for name, windows in self.windows.items():
            values = simulated[name]
            centre = values.mean(axis=0)
            whole = windows.scatter(windows.observed - centre) ** 2
            expected = windows.scatter(values - centre) ** 2
            # Never nothing: a sample that scatters more than the residuals proves no perfect instrument.
            found[name] = known.get(name, float(np.sqrt(max(whole - expected, _LEAST * whole))))
        return found

    def coverage(self, posterior: Posterior, known: Mapping[str, float], level: float) -> float:
        """Fraction of the means over windows that intervals of such means hold; of all targets together."""
        generator = np.random.default_rng(self.seed)
        held, every = 0, 0
        simulated = self.simulated(posterior)
        errors = self.errors(simulated, known)
        for name, windows in self.windows.items():
            seen = windows.counts > 0
            means = windows.means(simulated[name])[:, seen]
            # The mean of n independent errors.
            means += errors[name] / np.sqrt(windows.counts[seen]) * generator.normal(size=means.shape)
            low, high = np.quantile(means, [0.5 - level / 2, 0.5 + level / 2], axis=0, method="weibull")
            observed = windows.means(windows.observed)[seen]
            held += int(((low <= observed) & (observed <= high)).sum())
            every += observed.size
        return held / every


def tune(
    posterior: Posterior,
    ds: xr.Dataset,
    sites: xr.DataArray | None,
    time: slice | None,
    known: Mapping[str, float],
    level: float,
    window: int,
    samples: int,
    seed: int,
    problems: Problems,
) -> Posterior:
    """A posterior with another scale and other observation errors; arguments as of `Posterior.tuned`."""
    first = posterior.fits[0]
    data = observations(first, ds, sites, time, problems)
    # What has no attributes is not run.
    used = data.grid.unflatten(data.used)
    part = ds.assign({k: ds[k].where(used) for k in first.attributes})
    windows = {
        name: Windows(tensor.numpy().astype(np.float64), window) for name, tensor in data.observed.items()
    }
    moments = Moments.of(posterior.fits, part, 1.0)
    validation = Validation(part, data, windows, moments, samples, seed)
    plain = replace(posterior, scale=1.0)
    _check_errors(validation.errors(validation.simulated(plain), known), problems)
    scale = smallest_scale(
        lambda scale: validation.coverage(replace(plain, scale=scale), known, level), level
    )
    wide = replace(plain, scale=scale)
    return replace(wide, observation_error=validation.errors(validation.simulated(wide), known))


def _check_errors(errors: Mapping[str, float], problems: Problems) -> None:
    for name, error in errors.items():
        if not error > 0.0:
            got = "no window with two observations, or no scatter in any"
            fix = f"a longer window, or observation_error={{{name!r}: <number>}}"
            problems.add(name, expected="observations whose error shows", got=got, fix=fix)
    problems.raise_if_any()


def smallest_scale(coverage: Callable[[float], float], level: float) -> float:
    """The scale, 1 to 20, from which a coverage that rises with it is at least a level; by bisection."""
    if coverage(_RANGE[0]) >= level:
        return _RANGE[0]
    low, high = np.log(_RANGE)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if coverage(float(np.exp(middle))) >= level else (middle, high)
    return float(np.exp(high))
