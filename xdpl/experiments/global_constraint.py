"""Does learning all sites together keep them from fitting noise? Few and gappy data, one model, one loss."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xdpl import models
from xdpl.errors import Problems
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept
from xdpl.experiments.periods import days_of, drawn_part
from xdpl.experiments.scores import scores_of
from xdpl.experiments.seeds import check_seeds
from xdpl.experiments.work import calibrate_whole, learn_whole
from xdpl.simulate import simulate

__all__ = ["CONTENDERS", "global_constraint"]

# Observations that a site needs, as for its scores.
_FEWEST = 10
CONTENDERS = ("per-site", "dpl", "uncalibrated")
# The same loss at a site, as it is called in `calibrate` and in `learn`.
LOSSES = {"rmse": "site_rmse", "nse": "nse"}


def global_constraint(
    case: Case,
    *,
    days: int = 90,
    share: float = 0.5,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Compare gradient descent at every site by itself with one network for all, on few data.

    Both see the same observations of some days in a row of the training period, of which a part is left
    out at random; every seed has other days. Both minimise the same loss through the same model, with one
    set of parameters for each site.

    Parameters
    ----------
    case : Case
        Scored by ``"rmse"`` or ``"nse"``.
    days : int
        Length of the training period.
    share : float
        Of the observations in it that is kept, above 0 to 1.
    seeds : sequence of int
        Of the days and the observations, the training and the random starts.
    out, progress
        As in `scaling`.

    Returns
    -------
    Dataset
        ``train`` and ``test`` (contender, seed, *site dims): the score in either period, of the
        observations that were kept and of all, at the sites where at least ten were kept.
        Contenders are ``"per-site"``, ``"dpl"`` and, with the default parameters, ``"uncalibrated"``.

    Raises
    ------
    InputErrors
        If the score is another, or days or share make no sense.
    """
    _check(case, days, share, seeds)
    kept = Kept(None if out is None else Path(out), case)
    trials = [(name, seed) for seed in seeds for name in CONTENDERS]
    found = {}
    for name, seed in tqdm(trials, desc="global-constraint", unit="trial", disable=not progress):
        key = {"constraint": name, "days": days, "share": share, "seed": seed}
        found[name, seed] = kept.of(key, partial(_trial, case, name, days, share, seed))
    result = xr.concat(
        [xr.concat([found[name, seed] for seed in seeds], "seed") for name in CONTENDERS],
        "contender",
    )
    usable = case.usable()
    result = result.assign_coords(contender=list(CONTENDERS), seed=list(seeds)).assign_coords(usable.coords)
    return described(result.transpose("contender", "seed", ...), case, "global-constraint")


def _trial(case: Case, name: str, days: int, share: float, seed: int) -> xr.Dataset:
    """Scores of every site, as plain values."""
    few = drawn_part(case, days, seed)
    thinned = _thinned(case, share, seed)
    known = thinned.sel(time=few.train).notnull().sum("time")
    # The same sites for both, in both periods: those that have something to be fitted to.
    sites = case.usable() & (known >= _FEWEST)
    ds = case.data.assign({case.target: thinned})
    learning = few.learning(int(sites.sum()), same_sites=True)
    warmup = int(case.calibrate.get("warmup", learning.get("warmup", 30)))
    options: dict[str, Any] = {"target": case.target, "train": few.train, "sites": sites}
    options |= {"seed": seed, "progress": False, "warmup": warmup}
    if name == "dpl":
        # One set of parameters that does not move, as each site by itself has.
        same = {
            "loss": LOSSES[case.score],
            "members": 1,
            "dynamic": (),
            "dynamic_dropout": 0.0,
            "pretrain": 0,
        }
        fit = learn_whole(ds, **learning | same | options | {"model": case.model})
        simulated = fit.simulate(ds, outputs=[case.target])[case.target]
    else:
        theta = None
        if name == "per-site":
            theta = calibrate_whole(ds, case.model, method="gradient", objective=case.score, **options)
        simulated = simulate(ds, case.model, theta, outputs=[case.target])[case.target]
    dims = sites.dims
    parts = {
        "train": scores_of(simulated, case, few.train, observed=thinned),
        "test": scores_of(simulated, case),
    }
    found = {k: v[case.score].where(sites).transpose(*dims) for k, v in parts.items()}
    both = found["train"].notnull() & found["test"].notnull()
    return xr.Dataset({k: (dims, v.where(both).values) for k, v in found.items()})


def _thinned(case: Case, share: float, seed: int) -> xr.DataArray:
    """The target with a part of its observations; the same part in any order of the dims."""
    observed = case.data[case.target]
    ordered = observed.transpose("time", *sorted((d for d in observed.dims if d != "time"), key=str))
    drawn = np.random.default_rng([seed, 2]).random(ordered.shape) < share
    return ordered.where(drawn).transpose(*observed.dims).assign_attrs(observed.attrs)


def _check(case: Case, days: int, share: float, seeds: Sequence[int]) -> None:
    problems = Problems("global_constraint")
    check_seeds(problems, seeds)
    models.get(case.model, problems.call)
    if case.score not in LOSSES:
        fix = 'Case(..., score="rmse")'
        problems.add("case", expected="a score of rmse or nse", got=case.score, fix=fix)
    if not 2 <= days <= days_of(case):
        longest = f"2 to the {days_of(case)} days of the training period"
        problems.add("days", expected=longest, got=repr(days), fix="days=90")
    if not 0 < share <= 1:
        problems.add("share", expected="a number above 0 to 1", got=repr(share), fix="share=0.5")
    problems.raise_if_any()
