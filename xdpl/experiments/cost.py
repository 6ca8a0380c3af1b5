"""What a skill costs: runs of the model and core time, of learning and of calibration site by site."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xdpl.calibrate import calibrate
from xdpl.errors import Problems
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept
from xdpl.experiments.periods import days_of
from xdpl.experiments.samples import nested, note_sizes
from xdpl.experiments.scores import scores_of
from xdpl.learn import learn
from xdpl.simulate import simulate

__all__ = ["cost"]

# Updates of the network, and runs of each site: from hopeless to more than is needed.
UPDATES = (4, 8, 16, 32, 64, 128, 256, 512)
EVALUATIONS = (30, 100, 200, 400, 800, 1600, 3200, 6400)


def cost(
    case: Case,
    *,
    sizes: Sequence[int] = (20, 39, 78, 156, 312),
    batch: int = 32,
    updates: Sequence[int] = UPDATES,
    evaluations: Sequence[int] = EVALUATIONS,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Score trainings and calibrations of growing effort, at the sites that they were made for.

    Parameters
    ----------
    case : Case
    sizes : sequence of int
        Numbers of sites; a smaller sample lies within a larger one of the same seed.
    batch : int
        Series in one update of the network, the same for all numbers of sites.
    updates, evaluations : sequence of int
        Efforts: updates of the network, and runs of each site; as many of both.
    seeds : sequence of int
    out, progress
        As in `scaling`.

    Returns
    -------
    Dataset
        Of each contender (``"dpl"``, ``"sce-ua"``), number of sites, effort and seed: the median
        over sites of the score in the test period; ``runs``, days simulated for each site over
        days of the training period; ``core_seconds``. And, interpolated along logarithms, what is
        needed for the score that both reach, that of the one that ends up less good:
        ``runs_needed``, ``core_seconds_needed`` (contender, size, seed).

    Raises
    ------
    InputErrors
        If a size is larger than the number of sites.

    Notes
    -----
    A run for training counts twice: forward, and once more for its adjoint, which runs the model
    again. Core time is that of all threads of the process, the reading of the data, the checks
    and the network among it; a second run of the same is timed where the first had to compile.
    """
    usable = case.usable()
    problems = Problems("cost")
    note_sizes(sizes, int(usable.sum()), problems)
    if not updates or len(updates) != len(evaluations):
        got = f"{len(updates)} and {len(evaluations)}"
        problems.add("updates, evaluations", expected="as many of both", got=got, fix="leave both out")
    problems.raise_if_any()
    kept = Kept(None if out is None else Path(out), case)
    ways: dict[str, tuple[Callable[..., xr.Dataset], Sequence[int]]] = {
        "dpl": (partial(_learned, batch=batch), updates),
        "sce-ua": (_calibrated, evaluations),
    }
    # Compiles what both need, which is no part of the effort.
    _warm(case, nested(usable, min(sizes), 0), batch)
    efforts = range(len(updates))
    cells = list(itertools.product(ways, sizes, efforts, seeds))
    found = {}
    for name, size, effort, seed in tqdm(cells, desc="cost", unit="trial", disable=not progress):
        way, levels = ways[name]
        key = {"cost": name, "size": size, "effort": levels[effort], "seed": seed}
        # Of learning too the batch decides.
        key |= {"batch": batch} if name == "dpl" else {}
        sites = nested(usable, size, seed)
        found[name, size, effort, seed] = kept.of(key, partial(way, case, sites, levels[effort], seed))
    coords: dict[str, list[Any]] = {
        "contender": list(ways),
        "size": list(sizes),
        "effort": list(efforts),
        "seed": list(seeds),
    }
    shape = tuple(len(v) for v in coords.values())
    names = ("score", "runs", "core_seconds")
    values = {k: np.array([float(found[cell][k]) for cell in cells]).reshape(shape) for k in names}
    result = xr.Dataset({k: (tuple(coords), v) for k, v in values.items()}, coords)
    result = result.rename(score=case.score)
    return described(_needed(result, lower=case.lower_is_better, score=case.score), case, "cost")


def _learned(case: Case, sites: xr.DataArray, updates: int, seed: int, *, batch: int) -> xr.Dataset:
    """Cost and score of a training of so many updates."""
    count = int(sites.sum())
    options = case.learning(count, sites=sites, seed=seed)
    window, warmup = int(options.get("window", 365)), int(options.get("warmup", 30))
    days = days_of(case)
    series = count * max(1, round(days / window))
    inside = min(batch, series)
    # An epoch sees every series once.
    options |= {"batch": inside, "epochs": max(1, round(updates * inside / series)), "coverage": None}
    started = time.process_time()
    fit = learn(case.ds, **options)
    seconds = time.process_time() - started
    length = min(window, days)
    runs = 2.0 * options["epochs"] * series * (length + warmup) / (days * count)
    simulated = fit.simulate(case.ds, outputs=[case.target])[case.target]
    return _row(case, simulated, sites, runs, seconds)


def _calibrated(case: Case, sites: xr.DataArray, evaluations: int, seed: int) -> xr.Dataset:
    """Cost and score of a calibration of so many runs."""
    options: dict[str, Any] = dict(case.calibrate) | {"evaluations": evaluations}
    started = time.process_time()
    theta = calibrate(
        case.ds,
        case.model,
        target=case.target,
        train=case.train,
        sites=sites,
        seed=seed,
        progress=False,
        **options,
    )
    seconds = time.process_time() - started
    days = days_of(case)
    each = (days + int(options.get("warmup", 365))) / days
    runs = float(theta["evaluations"].where(sites).mean()) * each
    simulated = simulate(case.ds, case.model, theta, outputs=[case.target])[case.target]
    return _row(case, simulated, sites, runs, seconds)


def _row(case: Case, simulated: xr.DataArray, sites: xr.DataArray, runs: float, seconds: float) -> xr.Dataset:
    score = scores_of(simulated, case)[case.score].where(sites).median()
    return xr.Dataset({"score": ((), float(score)), "runs": ((), runs), "core_seconds": ((), seconds)})


def _warm(case: Case, sites: xr.DataArray, batch: int) -> None:
    _learned(case, sites, 1, 0, batch=batch)
    _calibrated(case, sites, 2, 0)


def _needed(result: xr.Dataset, *, lower: bool, score: str) -> xr.Dataset:
    """Add what is needed for the score that both reach."""
    errors = result[score] if lower else -result[score]
    # What an effort may fall back to is the best so far: nobody has to take a worse result.
    best = xr.DataArray(
        np.minimum.accumulate(errors.transpose("effort", ...).values),
        dims=("effort", "contender", "size", "seed"),
    )
    common = best.isel(effort=-1).max("contender")
    for name in ("runs", "core_seconds"):
        effort = result[name].transpose("effort", "contender", "size", "seed").values
        needed = np.full(effort.shape[1:], np.nan)
        for place in np.ndindex(needed.shape):
            needed[place] = _reached(
                best.values[:, *place], effort[:, *place], float(common.values[place[1:]])
            )
        result[f"{name}_needed"] = (("contender", "size", "seed"), needed)
    said = {
        "runs": "days simulated over days of training, each site",
        "runs_needed": "the same, for the score that both reach",
    }
    for name, text in said.items():
        result[name].attrs = {"units": "1", "long_name": text}
    for name in ("core_seconds", "core_seconds_needed"):
        result[name].attrs = {"units": "s", "long_name": "time of cores, all sites"}
    return result


def _reached(errors: np.ndarray, effort: np.ndarray, wanted: float) -> float:
    """Effort at which a falling error reaches a value, along logarithms of the effort."""
    first = int(np.argmax(errors <= wanted))
    if first == 0:
        return float(effort[0])
    part = (errors[first - 1] - wanted) / (errors[first - 1] - errors[first])
    return float(effort[first - 1] * (effort[first] / effort[first - 1]) ** part)
