"""The scale of a distribution, and the error of observations, by the likelihood of data it never saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import units
from xdpl.labelled.host import on_host
from xdpl.uncertainty.observations import Observations, observations

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.uncertainty.posterior import Posterior

__all__ = ["Spectrum", "log_likelihood", "tune"]


@dataclass(frozen=True)
class Spectrum:
    """Residuals of one site and target along the directions in which they are expected.

    Parameters
    ----------
    variances : ndarray, (direction,)
        At scale 1.
    squares : ndarray, (direction,)
        Squared residuals along the directions.
    """

    variances: np.ndarray
    squares: np.ndarray

    @classmethod
    def of(cls, residual: np.ndarray, apart: np.ndarray, steps: np.ndarray, memory: float) -> Spectrum:
        """Of residuals (time,) and of samples less their mean, over √(samples - 1), (sample, time).

        Few fits vary in few directions; errors go in others too. The correlation of distant steps is
        therefore damped, as in ensemble Kalman filters (Houtekamer and Mitchell 2001).
        """
        distance = (steps[:, None] - steps[None, :]) / memory
        values, vectors = np.linalg.eigh(apart.T @ apart * np.exp(-0.5 * distance**2))
        return cls(values.clip(0.0), (vectors.T @ residual) ** 2)


Spectra = dict[str, list[Spectrum]]


def log_likelihood(spectra: list[Spectrum], scale: float, error: float) -> float:
    """Of residuals with covariance scale² C + error² 1, sites independent; but for a constant."""
    total = 0.0
    for each in spectra:
        variance = error**2 + scale**2 * each.variances
        total += (np.log(variance) + each.squares / variance).sum()
    return -0.5 * float(total)


def tune(
    posterior: Posterior,
    ds: xr.Dataset,
    sites: xr.DataArray | None,
    time: slice | None,
    known: Mapping[str, float],
    memory: float,
    samples: int,
    seed: int,
    problems: Problems,
) -> tuple[float, dict[str, float]]:
    """Scale, and the observation error of each target; arguments as of `Posterior.tuned`."""
    from scipy.optimize import minimize

    fit = posterior.fits[0]
    data = observations(fit, ds, sites, time, problems)
    spectra = _spectra(posterior, ds, data, memory, samples, seed)
    free = [name for name in fit.targets if name not in known]

    def loss(logs: np.ndarray) -> float:
        errors = dict(known) | dict(zip(free, np.exp(logs[1:]), strict=True))
        scale = float(np.exp(logs[0]))
        return -sum(log_likelihood(spectra[name], scale, errors[name]) for name in fit.targets)

    start = np.log([1.0, *(posterior.observation_error[name] for name in free)])
    found = minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-4, "fatol": 1e-3})
    best = np.exp(found.x)
    errors = dict(known) | dict(zip(free, map(float, best[1:]), strict=True))
    return float(best[0]), {name: errors[name] for name in fit.targets}


def _spectra(
    posterior: Posterior, ds: xr.Dataset, data: Observations, memory: float, samples: int, seed: int
) -> Spectra:
    """Of every site, for each target."""
    used = data.grid.unflatten(data.used)
    first = posterior.fits[0]
    # What has no attributes is not run.
    part = ds.assign({k: ds[k].where(used) for k in first.attributes})
    series = posterior.simulate(part, samples=samples, seed=seed, outputs=list(first.targets))
    found: Spectra = {}
    start = data.batch.warmup
    for name, tensor in data.observed.items():
        steps = np.arange(len(tensor), dtype=np.float64)
        array = on_host(units.magnitude(series[name])).transpose("sample", "time", *data.grid.dims)
        values = np.asarray(array.values, dtype=np.float64).reshape(*array.shape[:2], -1)
        values = values[:, start : start + len(tensor), data.used]
        mean = values.mean(axis=0)
        apart = (values - mean) / np.sqrt(samples - 1)
        residual = tensor.numpy().astype(np.float64) - mean
        found[name] = [
            Spectrum.of(residual[seen, i], apart[:, seen, i], steps[seen], memory)
            for i, seen in enumerate(~np.isnan(residual).T)
            if seen.any()
        ]
    return found
