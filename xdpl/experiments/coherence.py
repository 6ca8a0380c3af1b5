"""Do learned parameters make better maps? Their order in space, beside the truth and other seeds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from tqdm.auto import tqdm

from xdpl import models
from xdpl.errors import Problems
from xdpl.evaluation.bounds import at_bounds
from xdpl.evaluation.spatial.moran import morans_i
from xdpl.evaluation.spatial.variogram import nugget
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.kept import Kept
from xdpl.experiments.maps import MAPS, on_scale, places
from xdpl.experiments.seeds import check_seeds
from xdpl.models import Model

__all__ = ["CAUTION", "coherence"]

#: Said wherever the result is shown.
CAUTION = (
    "Coherence without a known truth is no evidence that parameters are right: "
    "a smooth network makes smooth maps whatever it has learned."
)

_DIMS = ("contender", "parameter", "seed")
_LONG_NAMES = {
    "morans_i": "Moran's I of the map",
    "nugget_fraction": "nugget of the variogram of the map as a fraction of its sill",
    "at_bounds": "fraction of sites at a bound",
    "truth_correlation": "Spearman correlation over sites with the true parameter",
    "seed_correlation": "Spearman correlation over sites of the maps of two seeds",
    "true_morans_i": "Moran's I of the true map",
    "true_nugget_fraction": "nugget of the variogram of the true map as a fraction of its sill",
}


def coherence(
    case: Case,
    *,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    neighbours: int = 8,
    margin: float = 0.01,
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Measure the maps of parameters that are learned together, and of those calibrated one by one.

    Coherence without a known truth is no evidence that parameters are right: a smooth network makes
    smooth maps whatever it has learned. What counts is the correlation with the truth, where there is
    one, and, less, whether another seed gives the same map.

    Parameters
    ----------
    case : Case
        With latitude and longitude. The truth of a parameter is a variable ``true_<parameter>``.
    seeds : sequence of int
        One map each of `xdpl.learn` and of `xdpl.calibrate`, at all sites that can take part.
    neighbours : int
        As in `xdpl.evaluation.morans_i`.
    margin : float
        As in `xdpl.evaluation.at_bounds`.
    out : path, optional
        Folder that keeps every map. The same call goes on with what is missing.
    progress : bool
        Show a bar over maps.

    Returns
    -------
    Dataset
        Over (contender, parameter, seed): ``morans_i``, ``nugget_fraction`` of the map on the scale of
        the parameter (logarithmic where it is searched so; the mean of members), ``at_bounds``; with a truth
        ``truth_correlation``, and, over (parameter), ``true_morans_i`` and ``true_nugget_fraction``.
        Over (contender, parameter, pair), with two seeds or more, ``seed_correlation``; the seeds of
        a pair are its coordinates ``first_seed`` and ``second_seed``. Correlations are those of ranks. All
        without units, NaN where a map is constant.

    Raises
    ------
    InputErrors
        If latitude or longitude is missing, or an option is out of range.
    """
    model = models.get(case.model, "coherence")
    coords = places(case, "coherence")
    sites = case.usable().assign_coords(coords)
    _check(model, sites, seeds, neighbours, margin)
    kept = Kept(None if out is None else Path(out), case)
    found: dict[tuple[str, int], tuple[xr.DataArray, list[float]]] = {}
    cells = [(name, seed) for seed in seeds for name in MAPS]
    for name, seed in tqdm(cells, desc="coherence", unit="map", disable=not progress):
        theta = MAPS[name](case, seed, kept)
        near = at_bounds(_masked(theta, model, sites), model, margin=margin)
        found[name, seed] = on_scale(theta, model, sites), [float(near[p.name]) for p in model.parameters]
    maps = _stacked(found, list(seeds)).assign_coords(coords)
    true = _truth(case, model, sites)
    result = _measured(maps, None if true is None else true.assign_coords(coords), sites, neighbours)
    result["at_bounds"] = _numbers(found, maps).transpose(*_DIMS)
    for variable in result.data_vars:
        result[variable].attrs = {"units": "1", "long_name": _LONG_NAMES[str(variable)]}
    result = described(result, case, "coherence")
    result.attrs["comment"] = CAUTION
    return result


def _check(model: Model, sites: xr.DataArray, seeds: Sequence[int], neighbours: int, margin: float) -> None:
    """Refuse options here, before hours of learning."""
    problems = Problems("coherence")
    check_seeds(problems, seeds)
    problems.raise_if_any()
    morans_i(sites.astype(np.float64), neighbours=neighbours)
    at_bounds(xr.Dataset(), model, margin=margin)


def _measured(
    maps: xr.DataArray, true: xr.DataArray | None, sites: xr.DataArray, neighbours: int
) -> xr.Dataset:
    """Order in space of maps, beside the other seeds and the truth."""
    space = list(sites.dims)
    moran, rough = morans_i(maps, neighbours=neighbours), nugget(maps)["nugget_fraction"]
    result = xr.Dataset({"morans_i": moran, "nugget_fraction": rough}).transpose(*_DIMS)
    if maps.sizes["seed"] > 1:
        result = result.merge(_pairs(maps, space))
    if true is not None:
        result["truth_correlation"] = _ranked(maps, true, space).transpose(*_DIMS)
        result["true_morans_i"] = morans_i(true, neighbours=neighbours)
        result["true_nugget_fraction"] = nugget(true)["nugget_fraction"]
    return result


def _masked(theta: xr.Dataset, model: Model, sites: xr.DataArray) -> xr.Dataset:
    """Parameters at the sites that take part, with their units."""
    inside = sites.reset_coords(drop=True)
    return xr.Dataset(
        {p.name: theta[p.name].where(inside).assign_attrs(units=p.units) for p in model.parameters}
    )


def _stacked(found: dict[tuple[str, int], Any], seeds: list[int]) -> xr.DataArray:
    """Maps (contender, seed, parameter, *site dims)."""
    by_name = [xr.concat([found[name, seed][0] for seed in seeds], "seed") for name in MAPS]
    return xr.concat(by_name, "contender").assign_coords(contender=list(MAPS), seed=seeds)


def _numbers(found: dict[tuple[str, int], Any], maps: xr.DataArray) -> xr.DataArray:
    values = [[found[name, seed][1] for seed in maps["seed"].values] for name in MAPS]
    dims = ("contender", "seed", "parameter")
    return xr.DataArray(values, {d: maps[d] for d in dims}, dims)


def _truth(case: Case, model: Model, sites: xr.DataArray) -> xr.DataArray | None:
    """The true map of every parameter, NaN of one that is not known; None if that is all."""
    known = case.truth
    if not known.data_vars:
        return None
    nothing = xr.full_like(sites, np.nan, dtype=np.float64)
    theta = xr.Dataset({p.name: known.get(p.name, nothing) for p in model.parameters})
    return on_scale(theta, model, sites)


def _pairs(maps: xr.DataArray, dims: list[Any]) -> xr.Dataset:
    """Rank correlation of the maps of any two seeds."""
    pairs = list(itertools.combinations(maps["seed"].values, 2))
    one, other = ([pair[i] for pair in pairs] for i in (0, 1))
    first, second = (
        maps.sel(seed=xr.DataArray(chosen, dims="pair")).drop_vars("seed") for chosen in (one, other)
    )
    found = _ranked(first, second, dims).transpose("contender", "parameter", "pair")
    out = found.to_dataset(name="seed_correlation")
    return out.assign_coords(first_seed=("pair", one), second_seed=("pair", other))


def _ranked(a: xr.DataArray, b: xr.DataArray, dims: list[Any]) -> xr.DataArray:
    """Spearman correlation over the sites where both are known."""
    found: xr.DataArray = xr.apply_ufunc(
        _spearman,
        a.reset_coords(drop=True),
        b.reset_coords(drop=True),
        input_core_dims=[dims, dims],
        vectorize=True,
        keep_attrs=False,
    )
    return found


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.stats import rankdata

    known = np.isfinite(a) & np.isfinite(b)
    one, other = a[known], b[known]
    if one.size < 2 or np.ptp(one) == 0.0 or np.ptp(other) == 0.0:
        return float("nan")
    return float(np.corrcoef(rankdata(one), rankdata(other))[0, 1])
