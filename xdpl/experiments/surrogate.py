"""Learning through a surrogate beside learning with the gradients of the model itself."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xdpl.errors import Problems
from xdpl.experiments.attrs import described
from xdpl.experiments.boxed import boxed
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept
from xdpl.experiments.scores import scores_of
from xdpl.experiments.seeds import check_seeds
from xdpl.experiments.work import learn_whole
from xdpl.simulate import simulate
from xdpl.surrogate import Loop

__all__ = ["CONTENDERS", "surrogate"]

CONTENDERS = ("uncalibrated", "dpl", "surrogate")


def surrogate(
    case: Case,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Learn the parameters of a model with its own gradients, and through a network that imitates it.

    For the second, the model is a black box that runs in other processes. Both are trained at the
    same sites in the same period, with the same options but those of the loop.

    Parameters
    ----------
    case : Case
        With a ``loop``; the defaults of `xdpl.surrogate.Loop` if not given.
    seeds : sequence of int
    out, progress
        As in `scaling`.

    Returns
    -------
    Dataset
        Metrics of `xdpl.evaluation.metrics` in the test period and ``extreme_bias`` (contender, seed,
        *site dims), of the model itself with what was learned; ``parameter_value`` (contender, seed,
        parameter, *site dims) and, in a synthetic world, ``truth_correlation`` (contender, seed, parameter)
        of those that vary there; ``seconds`` (contender, seed); of the rounds what `Fit.history` has of
        them, (seed, round, ...).

    Raises
    ------
    InputErrors
        If there is no seed.
    AuditError
        If the first surrogate does not answer its parameters as the model does.
    """
    problems = Problems("surrogate")
    check_seeds(problems, seeds)
    problems.raise_if_any()
    kept = Kept(None if out is None else Path(out), case)
    found: dict[tuple[str, int], xr.Dataset] = {}
    cells = [(name, seed) for seed in seeds for name in CONTENDERS]
    for name, seed in tqdm(cells, desc="surrogate", unit="run", disable=not progress):
        part = partial(_part, case, kept, name, seed)
        found[name, seed] = kept.of({"surrogate": name, "seed": seed}, part)
    return described(_together(found, seeds, case), case, "surrogate")


_ROUNDS = [
    "surrogate_rmse",
    "model_rmse",
    "gap",
    "uncalibrated_rmse",
    "model_runs",
    "round_seconds",
    "audit_nse",
    "audit_effect",
    "audit_slope",
    "audit_correlation",
]


def _together(found: Mapping[tuple[str, int], xr.Dataset], seeds: Sequence[int], case: Case) -> xr.Dataset:
    """Parts of all contenders and seeds; of the rounds those of the surrogate."""
    parts = {k: v.drop_vars(_ROUNDS, errors="ignore") for k, v in found.items()}
    # Coordinates of rounds stay behind.
    parts = {k: v[list(v.data_vars)] for k, v in parts.items()}
    whole = partial(xr.concat, data_vars="all", coords="minimal", compat="override")
    scores = whole([whole([parts[k, s] for s in seeds], "seed") for k in CONTENDERS], "contender")
    rounds = xr.concat([found["surrogate", s][_ROUNDS] for s in seeds], "seed", join="outer")
    labels = {"contender": list(CONTENDERS), "seed": list(seeds)}
    out = scores.assign(rounds.assign_coords(seed=list(seeds)).data_vars)
    return out.assign_coords(labels | {"parameter": [p.name for p in case.process.parameters]})


def _part(case: Case, kept: Kept, name: str, seed: int) -> xr.Dataset:
    started = time.perf_counter()
    theta, rounds = _learned(case, kept, name, seed)
    seconds = time.perf_counter() - started
    usable = case.usable()
    simulated = simulate(case.data, case.model, theta, outputs=[case.target])[case.target]
    out = scores_of(simulated, case).where(usable).transpose(*usable.dims)
    values = xr.concat([theta[p.name].broadcast_like(usable) for p in case.process.parameters], "parameter")
    names = [p.name for p in case.process.parameters]
    out["parameter_value"] = values.drop_vars("parameter", errors="ignore").drop_attrs()
    truth = case.truth
    correlation = [_correlation(theta[k], truth[k], usable) if k in truth else np.nan for k in names]
    out["truth_correlation"] = ("parameter", correlation, {"units": "1"})
    out["seconds"] = ((), seconds, {"units": "s"})
    return out.assign_coords(parameter=names).assign(rounds.data_vars).drop_attrs(deep=False)


def _learned(case: Case, kept: Kept, name: str, seed: int) -> tuple[xr.Dataset, xr.Dataset]:
    """Parameters of all sites, and what happened in rounds."""
    if name == "uncalibrated":
        return _defaults(case), xr.Dataset()
    options: dict[str, Any] = case.learning(int(case.usable().sum()), same_sites=True, seed=seed)
    options |= {"sites": case.usable()}
    if name == "surrogate":
        options |= {"model": boxed(case.process, case.target), "gradients": case.loop or Loop()}
        options |= {"checkpoint": kept.file(f"surrogate-seed={seed}")}
    fit = learn_whole(case.data, **options)
    rounds = fit.history[_ROUNDS] if name == "surrogate" else xr.Dataset()
    return fit.parameters(case.data), rounds.drop_vars(["target_units"], errors="ignore")


def _defaults(case: Case) -> xr.Dataset:
    sites = case.usable()
    found = {p.name: (p.default, p.units) for p in case.process.parameters}
    return xr.Dataset(
        {k: xr.full_like(sites, v, float).assign_attrs(units=said) for k, (v, said) in found.items()}
    )


def _correlation(found: xr.DataArray, true: xr.DataArray, sites: xr.DataArray) -> float:
    return float(xr.corr(found.where(sites), true.where(sites)))
