"""The median site of each model, and how much seeds matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import units as u
from xdpl.errors import Problems
from xdpl.evaluation.checks import names
from xdpl.evaluation.declared import COUNT

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["summary"]

_NEEDED = ("model", "fold", "seed")


def summary(scores: xr.Dataset) -> xr.Dataset:
    """Median over sites per model, with its spread over seeds.

    Parameters
    ----------
    scores : Dataset
        As `xdpl.cross_validate` returns, or a part of its models, folds and seeds.

    Returns
    -------
    Dataset
        Over ``model``, in the units of `scores`: for each score its median over sites, averaged over
        seeds, and ``<score>_std``, the standard deviation (with n - 1) of this median between seeds,
        NaN for a single seed. ``sites`` (1), the number of sites scored, of the seed with the fewest;
        ``seeds`` (1), the number of seeds counted. ``.to_dataframe()`` makes a table of it.

    Raises
    ------
    InputErrors
        If a dim, or ``seconds`` that tell which fits are finished, is missing.

    Notes
    -----
    Each site counts once, in the fold that tests it. A seed of which a fold is missing is left out: its
    median would be one over fewer sites.
    """
    problems = Problems("summary")
    missing = [k for k in (*_NEEDED, "seconds") if k not in scores.dims and k not in scores]
    if missing:
        problems.add(
            "scores",
            expected="scores of xdpl.cross_validate",
            got=f"no {names(missing)}; dims {names(scores.dims)}",
            fix="scores.sel(model=[...]) with a list keeps the dim",
        )
    problems.raise_if_any()
    found = {k: u.dequantify(v).compute() for k, v in scores.data_vars.items()}
    complete = found.pop("seconds").notnull().all("fold")
    found = {k: v for k, v in found.items() if set(_NEEDED) < set(v.dims) and k != COUNT}
    out = xr.Dataset(coords={"model": scores["model"].variable.copy()})
    for name, values in found.items():
        out = out.assign(_of_one(str(name), values, complete))
    sites = [_per_site(v, complete).notnull() for v in found.values()]
    if sites:
        scored = xr.concat(sites, "score", join="exact").any("score")
        fewest = scored.sum(_sites(scored)).where(complete).min("seed").fillna(0).astype(np.int64)
        out["sites"] = fewest.variable
        out["sites"].attrs = {"long_name": "number of sites scored", "units": "1"}
    out["seeds"] = complete.sum("seed").astype(np.int64).variable
    out["seeds"].attrs = {"long_name": "number of seeds of which all folds are finished", "units": "1"}
    return out.drop_encoding()


def _of_one(name: str, values: xr.DataArray, complete: xr.DataArray) -> dict[str, xr.Variable]:
    """The mean over seeds of the median over sites, and its standard deviation."""
    per_site = _per_site(values, complete)
    medians = per_site.median(_sites(per_site)).transpose("model", "seed").values
    mean, std = (np.full(medians.shape[:1], np.nan) for _ in range(2))
    for i, row in enumerate(medians):
        known = row[~np.isnan(row)]
        if known.size:
            mean[i] = known.mean()
        if known.size > 1:
            std[i] = known.std(ddof=1)
    attrs = {"units": values.attrs["units"]} if "units" in values.attrs else {}
    what = f"median over sites of {values.attrs.get('long_name', name)}"
    return {
        name: xr.Variable("model", mean, {"long_name": f"mean over seeds of the {what}", **attrs}),
        f"{name}_std": xr.Variable(
            "model", std, {"long_name": f"standard deviation over seeds of the {what}", **attrs}
        ),
    }


def _per_site(values: xr.DataArray, complete: xr.DataArray) -> xr.DataArray:
    # A site is tested in one fold: the maximum is its only value.
    return values.max("fold").where(complete)


def _sites(values: xr.DataArray) -> list[Hashable]:
    return [d for d in values.dims if d not in _NEEDED]
