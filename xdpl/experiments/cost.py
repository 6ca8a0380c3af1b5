"""What a skill costs: runs of the model and core time, of learning and of calibration site by site."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xdpl.errors import Problems
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept, digest
from xdpl.experiments.periods import days_of
from xdpl.experiments.samples import nested, note_sizes, rising
from xdpl.experiments.scores import scores_of
from xdpl.experiments.seeds import check_seeds
from xdpl.experiments.work import calibrate_whole, learn_whole
from xdpl.simulate import simulate

__all__ = ["cost"]

# Updates of the network, and runs of each site: from hopeless to more than is needed.
UPDATES = (4, 8, 16, 32, 64, 128, 256, 512)
EVALUATIONS = (30, 100, 200, 400, 800, 1600, 3200, 6400)
# By which an error may be larger than the one that both reach.
_TOLERANCE = 0.02


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
        over sites of the score in the test period; ``runs``, days simulated for each site, of all
        members, over days of the training period; ``core_seconds``. And, interpolated along
        logarithms, what is needed for a score that both reach (see Notes): ``runs_needed``,
        ``core_seconds_needed`` (contender, size, seed).

    Raises
    ------
    InputErrors
        If sizes, efforts or seeds are no rising numbers, or a size is above the number of sites.

    Notes
    -----
    A run for training counts twice: forward, and once more for its adjoint, which runs the model
    again; every member counts. Core time is that of all threads of the process, the checks and the
    network among it, after a first call that compiles. What an effort reaches is the best so far, by
    the score of the test period: near the end of a curve chance decides where that is, and both are
    therefore allowed 2 % more than the error of the one that ends up less good (of scores that are
    best at 1, of what is missing to 1).
    """
    usable = case.usable()
    _check(int(usable.sum()), sizes, updates, evaluations, seeds)
    kept = Kept(None if out is None else Path(out), case)
    ways: dict[str, tuple[Callable[..., xr.Dataset], Sequence[int]]] = {
        "dpl": (_Timed(partial(_learned, batch=batch), 1), updates),
        "sce-ua": (_Timed(_calibrated, 2), evaluations),
    }
    coords: dict[str, list[Any]] = {
        "contender": list(ways),
        "size": list(sizes),
        "effort": list(range(len(updates))),
        "seed": list(seeds),
    }
    rows = []
    cells = list(itertools.product(*coords.values()))
    for name, size, effort, seed in tqdm(cells, desc="cost", unit="trial", disable=not progress):
        way, levels = ways[name]
        sites = nested(usable, size, seed)
        key = {"cost": name, "sites": digest(sites), "effort": levels[effort], "seed": seed}
        # Of learning too the batch decides.
        key |= {"batch": batch} if name == "dpl" else {}
        rows.append(kept.of(key, partial(way, case, sites, levels[effort], seed)))
    result = _stacked(rows, coords).rename(score=case.score)
    return described(_needed(result, lower=case.lower_is_better, score=case.score), case, "cost")


def _check(
    most: int, sizes: Sequence[int], updates: Sequence[int], evaluations: Sequence[int], seeds: Sequence[int]
) -> None:
    problems = Problems("cost")
    note_sizes(sizes, most, problems)
    check_seeds(problems, seeds)
    if not (rising(updates) and rising(evaluations)) or len(updates) != len(evaluations):
        problems.add(
            "updates, evaluations",
            expected="rising numbers, as many of both",
            got=f"{tuple(updates)} and {tuple(evaluations)}",
            fix="leave both out",
        )
    problems.raise_if_any()


def _stacked(rows: Sequence[xr.Dataset], coords: Mapping[str, Sequence[Any]]) -> xr.Dataset:
    """Single numbers, in the order of all cells, over their coordinates."""
    shape = tuple(len(v) for v in coords.values())
    values = {name: np.array([float(row[name]) for row in rows]).reshape(shape) for name in rows[0].data_vars}
    return xr.Dataset({name: (tuple(coords), v) for name, v in values.items()}, coords)


def _learned(case: Case, sites: xr.DataArray, updates: int, seed: int, *, batch: int) -> xr.Dataset:
    """Cost and score of a training of so many updates."""
    count = int(sites.sum())
    options = case.learning(count, same_sites=True, sites=sites, seed=seed)
    length, window = _length(case, int(options.get("warmup", 30))), int(options.get("window", 365))
    series = count * max(1, round(length / min(window, length)))
    inside = min(batch, series)
    # An epoch draws every series once, in whole batches.
    each = math.ceil(series / inside)
    options |= {"batch": inside, "epochs": max(1, round(updates / each)), "coverage": None}
    started = time.process_time()
    fit = learn_whole(case.data, **options)
    seconds = time.process_time() - started
    made = fit.settings
    steps = (made["window"] + made["warmup"]) * made["batch"] * each * fit.history.sizes["epoch"]
    runs = 2.0 * steps * made["members"] / (days_of(case) * count)
    simulated = fit.simulate(case.data, outputs=[case.target])[case.target]
    return _row(case, simulated, sites, runs, seconds)


def _calibrated(case: Case, sites: xr.DataArray, evaluations: int, seed: int) -> xr.Dataset:
    """Cost and score of a calibration of so many runs."""
    options: dict[str, Any] = dict(case.calibrate) | {"evaluations": evaluations, "method": "sce-ua"}
    started = time.process_time()
    theta = calibrate_whole(
        case.data,
        case.model,
        target=case.target,
        train=case.train,
        sites=sites,
        seed=seed,
        progress=False,
        **options,
    )
    seconds = time.process_time() - started
    made = json.loads(theta.attrs["calibration"])
    steps = case.data["time"].sel(time=slice(*made["train"])).size + made["warmup"]
    runs = float(theta["evaluations"].where(sites).mean()) * steps / days_of(case)
    simulated = simulate(case.data, case.model, theta, outputs=[case.target])[case.target]
    return _row(case, simulated, sites, runs, seconds)


def _length(case: Case, warmup: int) -> int:
    """Steps of the training period after its own warm-up, if there is no record before it."""
    before = int((case.data["time"] < case.data["time"].sel(time=case.train)[0]).sum())
    return days_of(case) - max(0, warmup - before)


def _row(case: Case, simulated: xr.DataArray, sites: xr.DataArray, runs: float, seconds: float) -> xr.Dataset:
    score = scores_of(simulated, case)[case.score].where(sites).median()
    return xr.Dataset({"score": ((), float(score)), "runs": ((), runs), "core_seconds": ((), seconds)})


class _Timed:
    """A way whose first call is not timed: it compiles what all others find on disk or in memory."""

    def __init__(self, way: Callable[..., xr.Dataset], least: int) -> None:
        self._way, self._least, self._cold = way, least, True

    def __call__(self, case: Case, sites: xr.DataArray, effort: int, seed: int) -> xr.Dataset:
        if self._cold:
            self._way(case, sites, self._least, seed)
            self._cold = False
        return self._way(case, sites, effort, seed)


def _needed(result: xr.Dataset, *, lower: bool, score: str) -> xr.Dataset:
    """Add what is needed for the score that both reach."""
    errors = result[score] if lower else 1.0 - result[score]
    # What an effort may fall back to is the best so far: nobody has to take a worse result.
    best = np.minimum.accumulate(errors.transpose("effort", "contender", "size", "seed").values)
    common = best[-1].max(axis=0) * (1.0 + _TOLERANCE)
    for name in ("runs", "core_seconds"):
        effort = result[name].transpose("effort", "contender", "size", "seed").values
        needed = np.full(effort.shape[1:], np.nan)
        for place in np.ndindex(needed.shape):
            needed[place] = _reached(best[:, *place], effort[:, *place], float(common[place[1:]]))
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
    if not (np.isfinite(errors).all() and np.isfinite(wanted)):
        return float("nan")
    first = int(np.argmax(errors <= wanted))
    if first == 0:
        return float(effort[0])
    part = (errors[first - 1] - wanted) / (errors[first - 1] - errors[first])
    return float(effort[first - 1] * (effort[first] / effort[first - 1]) ** part)
