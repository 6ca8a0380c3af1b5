"""The distribution that fits of several seeds make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import xarray as xr

from xdpl.errors import Problems
from xdpl.fit import Ensemble
from xdpl.labelled.attrs import model_hash
from xdpl.labelled.tree import refuse_tree
from xdpl.uncertainty.numbers import check_error
from xdpl.uncertainty.observations import observations
from xdpl.uncertainty.posterior import Posterior
from xdpl.uncertainty.residuals import root_mean_squares, simulated
from xdpl.uncertainty.support import check_fit

__all__ = ["deep_ensemble"]


def deep_ensemble(
    ensemble: Ensemble,
    ds: xr.Dataset,
    *,
    sites: xr.DataArray | None = None,
    time: slice | None = None,
    observation_error: float | Mapping[str, float] | None = None,
) -> Posterior:
    """Distribution of parameters from how much the fits of several seeds differ.

    Parameters
    ----------
    ensemble : Ensemble
        Two fits or more, with static parameters and one member, of networks that read attributes only.
    ds : Dataset
        With forcings, attributes and observed targets of the training.
    sites : DataArray of bool, optional
        Training sites; all if not given.
    time : slice, optional
        Training period, by dates; that of the fits if not given.
    observation_error : float or mapping of str to float, optional
        Standard deviation of the observations, of each target, in units of the model; else the
        root mean square residual of the training, of the mean simulation.

    Returns
    -------
    Posterior
        With scale 1. Seeds differ by how they begin and by the order of the data, not by
        the data: the spread is usually too narrow. See `Posterior.tuned`.

    Raises
    ------
    InputErrors
        If the fits are too few, of a network alone, have dynamic parameters or members (those of
        different seeds do not correspond), or `ds` lacks something.

    References
    ----------
    Lakshminarayanan et al. (2017), arXiv:1612.01474.
    """
    refuse_tree("deep_ensemble", ds)
    problems = Problems("deep_ensemble")
    _check(ensemble, problems)
    first = ensemble.fits[0]
    given = check_error(observation_error, list(first.targets), problems)
    data = observations(first, ds, sites, time, problems)
    each = [simulated(fit, data) for fit in ensemble.fits]
    mean = {k: torch.stack([run[k] for run in each]).mean(dim=0) for k in first.targets}
    settings = {"method": "deep ensemble", "seeds": ensemble.seeds, "training_sites": data.sites}
    return Posterior(ensemble.fits, root_mean_squares(mean, data) | given, settings=settings)


def _check(ensemble: Any, problems: Problems) -> None:
    if not isinstance(ensemble, Ensemble):
        got, fix = f"a {type(ensemble).__name__}", "learn(..., seed=range(5))"
        problems.add("ensemble", expected="an Ensemble", got=got, fix=fix)
        problems.raise_all()
    if len(ensemble.fits) < 2:
        problems.add(
            "ensemble", expected="fits of two seeds or more", got="one", fix="learn(..., seed=range(5))"
        )
    usable = [check_fit(fit, problems, f"seed {fit.settings['seed']}") for fit in ensemble.fits]
    if any(fit.settings["members"] > 1 for fit in ensemble.fits):
        problems.add(
            "ensemble",
            expected="one member, since members of different seeds do not correspond",
            got=f"{ensemble.fits[0].settings['members']} members",
            fix="laplace(ensemble.fits[0], ds), or ensemble.simulate(ds) and its spread over seed",
        )
    if len({model_hash(fit.model) for fit in ensemble.fits}) > 1:
        problems.add("ensemble", expected="fits of one model", got="several", fix="learn(..., seed=range(5))")
    if any(fit.network_spec.reads_forcings or fit.network_spec.steps for fit in ensemble.fits if all(usable)):
        problems.add(
            "ensemble",
            expected="networks that read attributes only",
            got=f"network {ensemble.fits[0].network_spec.kind!r}",
            fix='learn(..., network="mlp")',
        )
    problems.raise_if_any()
