"""How much can be gained at all? Every way to one target, from the defaults to parameters of each site."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xdpl.errors import Problems
from xdpl.evaluation import headroom as share_of
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept
from xdpl.experiments.maps import calibrated
from xdpl.experiments.scores import scores_of
from xdpl.experiments.seeds import check_seeds
from xdpl.experiments.work import calibrate_whole, learn_alone, learn_whole
from xdpl.simulate import simulate

__all__ = ["CONTENDERS", "headroom"]

CONTENDERS = ("uncalibrated", "site-affine", "dpl", "gradient", "calibrated", "lstm")


def headroom(
    case: Case,
    *,
    floor: float = 0.0,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Score the target in the test period, at the sites of the training, with and without parameters.

    Beside learning: the defaults; the same with a scale and an offset of each site, fitted in the training
    period, which no parameter is needed for; parameters of each site by itself, by gradient descent and by
    the method of the case; a network without a process model, where the case has settings for one.

    Parameters
    ----------
    case : Case
    floor : float
        Error of the observations, in units of the error; of scores that are best at 1, of what is missing
        to it.
    seeds : sequence of int
    out, progress
        As in `scaling`.

    Returns
    -------
    Dataset
        Metrics of `xdpl.evaluation.metrics` and ``extreme_bias`` (contender, seed, *site dims), and
        ``error``, ``gain``, ``share``, ``marginal`` and ``sites`` of `xdpl.evaluation.headroom`, of the score
        of the case, with the method of the case as oracle.

    Raises
    ------
    InputErrors
        If there is no seed, or as `xdpl.evaluation.headroom`.
    """
    problems = Problems("headroom")
    check_seeds(problems, seeds)
    problems.raise_if_any()
    kept = Kept(None if out is None else Path(out), case)
    names = [name for name in CONTENDERS if name != "lstm" or case.alone is not None]
    cells = [(name, seed) for seed in seeds for name in names]
    found = {}
    for name, seed in tqdm(cells, desc="headroom", unit="run", disable=not progress):
        found[name, seed] = kept.of(
            {"headroom": name, "seed": seed}, partial(_scores, case, kept, name, seed)
        )
    by_name = [xr.concat([found[name, seed] for seed in seeds], "seed") for name in names]
    usable = case.usable()
    result = xr.concat(by_name, "contender").assign_coords(contender=names, seed=list(seeds))
    result = result.assign_coords(usable.coords).transpose("contender", "seed", ...)
    result = described(result, case, "headroom")
    score = result[case.score] if case.lower_is_better else 1.0 - result[case.score]
    errors = {k: score.sel(contender=k, drop=True).assign_attrs(result[case.score].attrs) for k in names}
    return result.assign(share_of(errors, oracle="calibrated", floor=floor).data_vars)


def _scores(case: Case, kept: Kept, name: str, seed: int) -> xr.Dataset:
    """Scores of every site, as plain values."""
    usable = case.usable()
    scores = scores_of(_simulated(case, kept, name, seed), case).where(usable).transpose(*usable.dims)
    return xr.Dataset({k: (usable.dims, v.values.astype(np.float64)) for k, v in scores.data_vars.items()})


def _simulated(case: Case, kept: Kept, name: str, seed: int) -> xr.DataArray:
    ds, sites, target = case.data, case.usable(), case.target
    run = partial(simulate, ds, case.model, outputs=[target])
    if name == "uncalibrated":
        found = run()
    elif name == "site-affine":
        return _affine(run()[target], case)
    elif name == "calibrated":
        found = run(calibrated(case, seed, kept))
    elif name == "gradient":
        same = {k: v for k, v in case.calibrate.items() if k in ("objective", "warmup")}
        options: dict[str, Any] = {"target": target, "train": case.train, "sites": sites, "seed": seed}
        found = run(calibrate_whole(ds, case.model, method="gradient", progress=False, **options, **same))
    elif name == "dpl":
        settings = case.learning(int(sites.sum()), same_sites=True, sites=sites, seed=seed)
        found = learn_whole(ds, **settings).simulate(ds, outputs=[target])
    else:
        found = learn_alone(case, sites, seed).simulate(ds, outputs=[target])
    simulated: xr.DataArray = found[target]
    return simulated


def _affine(simulated: xr.DataArray, case: Case) -> xr.DataArray:
    """With a scale and an offset of each site, by least squares in the training period."""
    observed = case.data[case.target]
    past = {"time": case.train}
    pair = observed.sel(past).notnull()
    s, o = (v.sel(past).where(pair).astype(np.float64) for v in (simulated, observed))
    variance = s.var("time")
    scale = xr.where(variance > 0.0, xr.cov(s, o, "time", ddof=0) / variance, 0.0)
    moved = scale * (simulated - s.mean("time")) + o.mean("time")
    return moved.transpose(*simulated.dims).assign_attrs(simulated.attrs)
