"""Ways to predict sites without observations, each from the same training sites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept
from xdpl.experiments.maps import calibrated
from xdpl.experiments.work import learn_alone, learn_whole
from xdpl.fit.source import ParameterSource
from xdpl.regionalisation.ridge import ridge
from xdpl.regionalise import regionalise
from xdpl.simulate import simulate

__all__ = ["CONTENDERS", "Trial"]


@dataclass(frozen=True)
class Trial:
    """What a contender may use.

    Parameters
    ----------
    case : Case
    sites : DataArray of bool
        Training sites.
    seed : int
    kept : Kept
        Calibrations of sites are kept there: they do not depend on the company of a site.
    days : int, optional
        Length of the training period, where it is not whole.
    """

    case: Case
    sites: xr.DataArray
    seed: int
    kept: Kept
    days: int | None = None

    @property
    def count(self) -> int:
        """Number of training sites."""
        return int(self.sites.sum())


def learned(trial: Trial) -> xr.DataArray:
    """One network for the parameters of all sites, learned at the training sites."""
    case = trial.case
    return _of(learn_whole(case.data, **case.learning(trial.count, sites=trial.sites, seed=trial.seed)), case)


def alone(trial: Trial) -> xr.DataArray:
    """A recurrent network without a process model, trained at the same sites."""
    return _of(learn_alone(trial.case, trial.sites, trial.seed), trial.case)


def _of(source: ParameterSource, case: Case) -> xr.DataArray:
    simulated: xr.DataArray = source.simulate(case.data, outputs=[case.target])[case.target]
    return simulated


def _carried(trial: Trial, **options: Any) -> xr.DataArray:
    """Calibrated site by site, then carried on by their attributes."""
    case = trial.case
    theta = calibrated(case, trial.seed, trial.kept, trial.days)
    options = {"attributes": list(case.attributes)} | options
    if "donors" in options:
        # Of a short period some sites have no observations, and were not calibrated.
        first = next(iter(theta.data_vars.values()))
        options["donors"] = min(int(options["donors"]), int((first.notnull() & trial.sites).sum()))
    found = regionalise(
        case.data,
        case.model,
        theta,
        target=case.target,
        sites=trial.sites,
        **options,
    )
    return _of(found, case)


def donors(trial: Trial) -> xr.DataArray:
    """Calibrated at the training sites; the most similar of them give their parameters."""
    return _carried(trial, **{"method": "similarity", "donors": 5} | dict(trial.case.regionalise))


def regression(trial: Trial) -> xr.DataArray:
    """Calibrated at the training sites; parameters are regressed on attributes."""
    return _carried(trial, method="regression")


def affine(trial: Trial) -> xr.DataArray:
    """The uncalibrated model times a scale plus an offset, both regressed on attributes.

    It knows nothing of processes: what it reaches is owed to the attributes alone.
    """
    case, sites = trial.case, trial.sites
    simulated = uncalibrated(trial)
    observed = case.data[case.target]
    pair = observed.notnull()
    past = {"time": case.train}
    s, o = (v.sel(past).where(pair.sel(past)).astype(np.float64) for v in (simulated, observed))
    scale = xr.cov(s, o, "time", ddof=0) / s.var("time")
    offset = o.mean("time") - scale * s.mean("time")
    dims = sites.dims
    known = np.flatnonzero((sites & np.isfinite(scale)).transpose(*dims).values.ravel())
    columns = [case.data[k].broadcast_like(sites).transpose(*dims).values.ravel() for k in case.attributes]
    x = np.stack(columns, axis=1).astype(np.float64)
    spread = x[known].std(axis=0)
    x = (x - x[known].mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    y = np.stack([v.transpose(*dims).values.ravel()[known] for v in (scale, offset)], axis=1)
    relation = ridge(x[known], y)
    predicted = x @ relation.coefficients.T + relation.constants
    scale, offset = (sites.copy(data=v.reshape(sites.shape)) for v in predicted.T)
    return (simulated * scale + offset).assign_attrs(simulated.attrs)


def uncalibrated(trial: Trial) -> xr.DataArray:
    """The model with its default parameters."""
    case = trial.case
    simulated: xr.DataArray = simulate(case.data, case.model, outputs=[case.target])[case.target]
    return simulated


#: By name, in the order of tables: from what may be used to the simulated target of all sites.
CONTENDERS: dict[str, Callable[[Trial], xr.DataArray]] = {
    "dpl": learned,
    "donors": donors,
    "regression": regression,
    "lstm": alone,
    "affine": affine,
    "uncalibrated": uncalibrated,
}
