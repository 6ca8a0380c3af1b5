"""Does a model answer a changed climate as the truth does? Forcings changed, and what outputs do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr
from tqdm.auto import tqdm

from xdpl.errors import Problems
from xdpl.evaluation import perturbation_response
from xdpl.evaluation.changes import Changes, changes_of
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept
from xdpl.experiments.maps import MAPS
from xdpl.experiments.seeds import check_seeds
from xdpl.experiments.work import learn_alone

__all__ = ["CONTENDERS", "perturbation"]

#: In the order of tables; the first where the dataset has it, the last where the case has settings for it.
CONTENDERS = ("truth", "dpl", "calibrated", "uncalibrated", "lstm")

_RELATIVE: Changes = {"precipitation": (-0.1, 0.1)}
_ABSOLUTE: Changes = {"air_temperature": (3.0,)}


def perturbation(
    case: Case,
    *,
    relative: Changes = _RELATIVE,
    absolute: Changes = _ABSOLUTE,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Response of mean outputs to changed forcings: learned, calibrated, of a pure network, and in truth.

    All are trained at all sites that can take part, on the forcings as they are. Potential
    evapotranspiration does not change with temperature.

    Parameters
    ----------
    case : Case
        In a synthetic world, the parameters ``true_<parameter>`` of the dataset give the truth; those that
        are missing have their defaults.
    relative, absolute : mapping
        As in `xdpl.evaluation.perturbation_response`.
    seeds : sequence of int
    out, progress
        As in `scaling`.

    Returns
    -------
    Dataset
        Variables of `perturbation_response` for the main outputs of the model and the target, over
        (contender, seed, <forcing>_change, *site dims), in the test period; a pure network has the target
        only.

    Raises
    ------
    InputErrors
        If there is no seed, or changes are not of the model.
    """
    problems = Problems("perturbation")
    check_seeds(problems, seeds)
    changes_of(case.process, relative, absolute, problems)
    problems.raise_if_any()
    kept = Kept(None if out is None else Path(out), case)
    names = [name for name in CONTENDERS if _takes_part(name, case)]
    cells = [(name, seed) for seed in seeds for name in names]
    respond = partial(_response, case, kept, {"relative": relative, "absolute": absolute})
    found = {}
    for name, seed in tqdm(cells, desc="perturbation", unit="run", disable=not progress):
        found[name, seed] = respond(name, seed)
    # A pure network has fewer outputs: what it lacks is NaN.
    whole = partial(xr.concat, join="exact", coords="minimal", compat="override", data_vars="all")
    by_name = [whole([found[name, seed] for seed in seeds], dim="seed") for name in names]
    result = whole(by_name, dim="contender")
    result = result.assign_coords(contender=names, seed=list(seeds)).where(case.usable())
    for variable_name, variable in found["uncalibrated", seeds[0]].variables.items():
        result[variable_name].attrs = dict(variable.attrs)
    result = result.transpose("contender", "seed", ...)
    return described(result, case, "perturbation")


def _takes_part(name: str, case: Case) -> bool:
    if name == "truth":
        return bool(case.truth.data_vars)
    return name != "lstm" or case.alone is not None


def _response(case: Case, kept: Kept, changes: Mapping[str, Any], name: str, seed: int) -> xr.Dataset:
    ds, model = case.data, case.process
    outputs = list(dict.fromkeys([case.target, *model.outputs]))
    options = {**changes, "time": case.test}
    if name == "lstm":
        said = "-".join(str(v).replace(" ", "") for kind in changes.values() for v in kind.values())
        key = {"perturbation": name, "changes": said, "seed": seed}
        return kept.of(key, partial(_alone, case, seed, options))
    if name == "truth":
        theta: xr.Dataset | None = case.truth
    else:
        theta = MAPS[name](case, seed, kept) if name in MAPS else None
    if theta is not None and "member" in theta.dims:
        options["average"] = "member"
    return perturbation_response(ds, model, theta, outputs=outputs, **options)


def _alone(case: Case, seed: int, options: Mapping[str, Any]) -> xr.Dataset:
    """Of a network without a process model."""
    return perturbation_response(case.data, learn_alone(case, case.usable(), seed), **options)
