"""Learned from moisture near the surface, at towers: evapotranspiration and moisture at depth scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xdpl import models
from xdpl.errors import Problems
from xdpl.evaluation.spatial.positions import great_circle, positions
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept
from xdpl.experiments.maps import places
from xdpl.experiments.seeds import check_seeds
from xdpl.experiments.tower import DEEP, Tower, bondville, walnut_gulch
from xdpl.experiments.tower_contenders import CONTENDERS, Visit
from xdpl.experiments.transfer import SCORES, score_attrs, scores_of
from xdpl.labelled.globe import unit_vectors
from xdpl.simulate import simulate

__all__ = ["towers"]


def towers(
    case: Case,
    *,
    at: Sequence[Tower] | None = None,
    contenders: Sequence[str] | None = None,
    gradient: Mapping[str, Any] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Score what towers measure, with parameters from the target alone: calibrated there, learned elsewhere.

    Towers have none of the attributes of a network, so its parameters are those at the nearest site of the
    case: the land there may differ.

    Parameters
    ----------
    case : Case
        With the model, the target, the options of `xdpl.calibrate`, and the sites a network is learned at.
    at : sequence of Tower, optional
        Walnut Gulch and Bondville, if not given.
    contenders : sequence of str, optional
        Of ``"dpl"``, ``"gradient"``, ``"calibrated"``, ``"uncalibrated"``; all if not given.
    gradient : mapping, optional
        Options of `xdpl.calibrate` for gradient descent.
    seeds : sequence of int
    out : path, optional
        Folder that keeps what was learned on the case.
    progress : bool
        Show a bar over runs.

    Returns
    -------
    Dataset
        Over (contender, seed, site), in the test period of each tower, the scores of
        `xdpl.experiments.transfer` of everything that is observed; NaN where a tower has no such
        observation. ``distance`` (km), over (site), to the site of the case that gives its parameters.
        A sensor measures at a point: of moisture at depth correlation and ``ubrmse`` say more than ``rmse``.

    Raises
    ------
    InputErrors
        If a contender is not known, or the model has no layer for moisture at depth.
    """
    stations = [walnut_gulch(), bondville()] if at is None else list(at)
    names = _check(case, stations, contenders, seeds)
    kept = Kept(None if out is None else Path(out), case)
    every = list(dict.fromkeys(output for tower in stations for output in tower.observed))
    cells = [(i, name, seed) for i in range(len(stations)) for seed in seeds for name in names]
    found = {}
    for i, name, seed in tqdm(cells, desc="towers", unit="run", disable=not progress):
        tower = stations[i]
        theta = CONTENDERS[name](Visit(case, kept, tower, seed, gradient or {}))
        found[i, name, seed] = _scored(case, tower, theta, every)
    each = [_stacked(found, i, names, list(seeds)) for i in range(len(stations))]
    result = xr.concat(each, "site").transpose("contender", "seed", "site")
    for output in every:
        first = next(tower for tower in stations if output in tower.observed)
        for name, attrs in score_attrs(output, first.ds[first.observed[output]].attrs["units"]).items():
            result[name].attrs = attrs
    if "dpl" in names:
        result["distance"] = "site", np.concatenate([_distances(case, tower) for tower in stations])
        result["distance"].attrs = {
            "units": "km",
            "long_name": f"distance to the nearest site of {case.name}",
        }
    result.attrs |= described(result, case, "towers").attrs | {"learned_on": case.target}
    return result


def _scored(case: Case, tower: Tower, theta: xr.Dataset, every: list[str]) -> xr.Dataset:
    """Scores (site,) of every output, NaN of those that were not observed."""
    outputs = ["w2" if output == DEEP else output for output in tower.observed]
    simulated = simulate(tower.ds, case.model, theta, outputs=outputs)
    if DEEP in tower.observed:
        # mm over m: at the end of the day.
        deep = simulated["w2"] / (1000.0 * theta["d2"])
        simulated[DEEP] = deep.assign_attrs(units="m3 m-3")
    if "member" in simulated.dims:
        # Each has a depth of its own: moisture at depth is not that of their mean.
        simulated = simulated.mean("member", keep_attrs=True)
    observed = {output: tower.ds[variable] for output, variable in tower.observed.items()}
    scores = scores_of(simulated, observed, tower.test).reset_coords(drop=True)
    nothing = xr.full_like(scores[f"{case.target}_rmse"], np.nan)
    for output in every:
        for score in SCORES:
            scores[f"{output}_{score}"] = scores.get(f"{output}_{score}", nothing)
    return scores


def _stacked(
    found: Mapping[tuple[int, str, int], xr.Dataset], i: int, names: list[str], seeds: list[int]
) -> xr.Dataset:
    """Scores of one record over (contender, seed, site)."""
    by_name = [xr.concat([found[i, name, seed] for seed in seeds], "seed") for name in names]
    return xr.concat(by_name, "contender").assign_coords(contender=names, seed=seeds)


def _distances(case: Case, tower: Tower) -> np.ndarray:
    """From each tower to the nearest site of the case, km."""
    sites = case.usable()
    theirs = _vectors(sites.assign_coords(places(case, "towers")))[sites.values.ravel()]
    apart = np.sqrt(((_vectors(tower.ds["site"])[:, None, :] - theirs[None, :, :]) ** 2).sum(axis=-1))
    return great_circle(apart.min(axis=1))


def _vectors(field: xr.DataArray) -> np.ndarray:
    """Positions (site, 3) of the sites of a field."""
    problems = Problems("towers")
    degrees, _ = positions(field, problems)
    problems.raise_if_any()
    vectors: np.ndarray = unit_vectors(np, *(d.transpose(*field.dims).values.ravel() for d in degrees))
    return vectors


def _check(
    case: Case, stations: Sequence[Tower], contenders: Sequence[str] | None, seeds: Sequence[int]
) -> list[str]:
    problems = Problems("towers")
    check_seeds(problems, seeds)
    names = list(CONTENDERS) if contenders is None else list(contenders)
    for name in names:
        if name not in CONTENDERS:
            expected = f"some of {', '.join(CONTENDERS)}"
            problems.add("contenders", expected=expected, got=repr(name), fix="leave it out")
    model = models.get(case.model, "towers")
    known = [*model.all_outputs(), DEEP]
    for i, tower in enumerate(stations):
        if case.target not in tower.observed:
            problems.add(
                f"at[{i}].observed",
                expected=f"the target {case.target!r} among them",
                got=", ".join(tower.observed) or "none",
                fix=f'observed={{"{case.target}": "<variable>", ...}}',
            )
        _check_observed(f"at[{i}]", tower, known, problems)
        if DEEP in tower.observed and not ("w2" in known and "d2" in {p.name for p in model.parameters}):
            problems.add(
                "model",
                expected="a second layer, with the state w2 and the parameter d2",
                got=model.name,
                fix=f"leave {DEEP} out",
            )
    problems.raise_if_any()
    return names


def _check_observed(subject: str, tower: Tower, known: list[str], problems: Problems) -> None:
    if "site" not in tower.ds.dims:
        problems.add(
            f"{subject}.ds",
            expected="a dim 'site'",
            got=repr(tuple(tower.ds.dims)),
            fix="ds.expand_dims(...)",
        )
    for output, variable in tower.observed.items():
        if output not in known:
            problems.add(
                f"{subject}.observed",
                expected=f"among {', '.join(known)}",
                got=repr(output),
                fix="leave it out",
            )
        if variable not in tower.ds or "units" not in tower.ds[variable].attrs:
            problems.add(
                f"{subject}.observed[{output!r}]",
                expected="a variable with units",
                got=repr(variable),
                fix="name another, or set its units",
            )
