"""Does one observed variable make the others right? Learned with one target, scored for what was not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xdpl import models
from xdpl.errors import Problems
from xdpl.evaluation import metrics
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept
from xdpl.experiments.maps import MAPS, simulated
from xdpl.experiments.seeds import check_seeds

__all__ = ["SCORES", "score_attrs", "scores_of", "transfer"]

#: Of every output, in the order of tables.
SCORES = ("correlation", "relative_bias", "rmse", "ubrmse")


def transfer(
    case: Case,
    *,
    outputs: Mapping[str, str] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Score outputs of the model that were never observed, with parameters from the target alone.

    Parameters are learned together at all sites that can take part, calibrated there one by one, or left
    at their defaults.

    Parameters
    ----------
    case : Case
    outputs : mapping of str to str, optional
        Outputs of the model, fluxes or states, and the variables of the dataset that they are
        scored against; all outputs with a variable ``true_<output>``, but the target, if not given.
    seeds : sequence of int
    out : path, optional
        Folder that keeps parameters. The same call goes on with what is missing.
    progress : bool
        Show a bar over runs.

    Returns
    -------
    Dataset
        Over (contender, seed, *site dims), in the test period, for the target and every output:
        ``<output>_correlation`` (1), ``<output>_relative_bias`` (1), simulated minus observed over
        the observed mean, ``<output>_rmse`` and ``<output>_ubrmse`` in units of what was observed. The
        attribute ``learned_on`` names the target.

    Raises
    ------
    InputErrors
        If an output is none of the model, a variable is missing, or there is nothing to score.
    """
    chosen = _check(case, outputs, seeds)
    kept = Kept(None if out is None else Path(out), case)
    sites = case.usable()
    observed = {output: case.data[variable] for output, variable in chosen.items()}
    cells = [(name, seed) for seed in seeds for name in (*MAPS, "uncalibrated")]
    found = {}
    for name, seed in tqdm(cells, desc="transfer", unit="run", disable=not progress):
        theta = MAPS[name](case, seed, kept) if name in MAPS else None
        scores = scores_of(simulated(case, theta, list(chosen)), observed, case.test)
        found[name, seed] = scores.where(sites)
    result = _stacked(found, [*MAPS, "uncalibrated"], list(seeds), observed)
    result.attrs |= described(result, case, "transfer").attrs | {"learned_on": case.target}
    return result


def scores_of(simulated: xr.Dataset, observed: Mapping[str, xr.DataArray], time: slice) -> xr.Dataset:
    """Scores of every output in a period, per site; named as in `transfer`."""
    found = {}
    for output, array in observed.items():
        seen = array.sel(time=time)
        scores = metrics(simulated[output].sel(time=time), seen)
        relative = scores["bias"] / seen.mean("time").astype(np.float64)
        for name in SCORES:
            found[f"{output}_{name}"] = relative if name == "relative_bias" else scores[name]
    return xr.Dataset(found).drop_attrs()


def score_attrs(output: str, units: str) -> dict[str, dict[str, str]]:
    """Attributes of the scores of an output that was observed in some units."""
    said = {
        "correlation": ("1", "Pearson correlation"),
        "relative_bias": ("1", "bias over the observed mean"),
        "rmse": (units, "root mean square error"),
        "ubrmse": (units, "unbiased root mean square error"),
    }
    return {
        f"{output}_{k}": {"units": u, "long_name": f"{name} of {output}"} for k, (u, name) in said.items()
    }


def _stacked(
    found: Mapping[tuple[str, int], xr.Dataset],
    names: list[str],
    seeds: list[int],
    observed: Mapping[str, xr.DataArray],
) -> xr.Dataset:
    """Scores over (contender, seed, *site dims), with their attributes."""
    whole = partial(xr.concat, coords="minimal", compat="override", join="exact")
    by_name = [whole([found[name, seed] for seed in seeds], dim="seed") for name in names]
    result = whole(by_name, dim="contender").assign_coords(contender=names, seed=seeds)
    for output, array in observed.items():
        for name, attrs in score_attrs(output, array.attrs["units"]).items():
            result[name].attrs = attrs
    return result


def _check(case: Case, outputs: Mapping[str, str] | None, seeds: Sequence[int]) -> dict[str, str]:
    """The target and the outputs to score, each with its variable."""
    problems = Problems("transfer")
    check_seeds(problems, seeds)
    known = models.get(case.model, "transfer").all_outputs()
    if outputs is None:
        outputs = {k: f"true_{k}" for k in known if f"true_{k}" in case.data and k != case.target}
    if not outputs:
        problems.add(
            "outputs",
            expected="at least one output of the model and its variable",
            got="none, and no variable true_<output>",
            fix='outputs={"evapotranspiration": "<observed variable>"}',
        )
    for output, variable in outputs.items():
        if output not in known or output == case.target:
            problems.add(
                "outputs",
                expected=f"outputs of the model but {case.target}: {', '.join(known)}",
                got=repr(output),
                fix="leave it out",
            )
        if variable not in case.data or "time" not in case.data[variable].dims:
            problems.add(
                f"outputs[{output!r}]",
                expected="a variable of ds over time",
                got=repr(variable),
                fix="name another",
            )
        elif "units" not in case.data[variable].attrs:
            problems.add(
                variable, expected="units", got="none", fix=f'ds["{variable}"].attrs["units"] = "..."'
            )
    problems.raise_if_any()
    return {case.target: case.target, **outputs}
