"""Sites of a template, and labels given to them: what all splits of sites share."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.evaluation.checks import names

if TYPE_CHECKING:
    from collections.abc import Hashable

    from xdpl.errors import Problems

__all__ = ["check_integer", "check_k", "label_sites", "site_values", "sites_of"]

_Array = np.ndarray[Any, np.dtype[Any]]


def sites_of(template: xr.DataArray) -> tuple[xr.DataArray, _Array]:
    """The template with its dims by name, so that a transposed one gives the same labels; where sites are."""
    ordered = template.transpose(*sorted(template.dims, key=str))
    valid = ordered if ordered.dtype == bool else ordered.notnull()
    return ordered, np.asarray(valid.values)


def check_integer(problems: Problems, subject: str, value: Any, lowest: int) -> bool:
    """Note a value that is no integer of at least `lowest`; whether it is one."""
    sound: bool = not isinstance(value, bool) and isinstance(value, numbers.Integral) and int(value) >= lowest
    if not sound:
        problems.add(
            subject,
            expected=f"an integer of at least {lowest}",
            got=repr(value),
            fix=f"{subject}={lowest}",
        )
    return sound


def check_k(problems: Problems, k: Any, valid: _Array) -> None:
    """Note a number of folds that is no integer from 2 to the number of sites."""
    sites = int(valid.sum())
    if isinstance(k, bool) or not isinstance(k, numbers.Integral) or not 2 <= int(k) <= sites:
        problems.add(
            "k",
            expected=f"2 to {sites}, the number of sites",
            got=repr(k),
            fix="fewer folds or more sites",
        )


def label_sites(
    template: xr.DataArray, ordered: xr.DataArray, valid: _Array, fold: _Array, long_name: str
) -> xr.DataArray:
    """Labels, (site,) in the order of `valid`, on the dims of the template; -1 where there is no site."""
    labels = np.full(ordered.shape, -1, dtype=np.int64)
    labels[valid] = fold
    attrs = {"long_name": f"{long_name}; -1 where there is no site"}
    found = xr.DataArray(labels, ordered.coords, ordered.dims, "fold", attrs)
    return found.transpose(*template.dims).drop_encoding()


def site_values(
    problems: Problems, ordered: xr.DataArray, valid: _Array, coord: Hashable, subject: str
) -> _Array:
    """Values of a coordinate at the sites, (site,); empty, and noted, if it is none of the sites."""
    if coord not in ordered.coords or not ordered.coords[coord].ndim:
        along = names(c for c, a in ordered.coords.items() if a.ndim)
        problems.add(
            subject,
            expected="a coordinate along site dims",
            got=f"{coord!r}, {'a scalar' if coord in ordered.coords else 'not a coordinate'}",
            fix=f"one of: {along}; or template.assign_coords(...)",
        )
        return np.empty(0)
    along_sites = ordered.coords[coord].broadcast_like(ordered).transpose(*ordered.dims)
    unknown = int(along_sites.isnull().values[valid].sum())
    if unknown:
        problems.add(
            subject,
            expected=f"{coord!r} known at every site",
            got=f"missing at {unknown} sites",
            fix=f'template.where(template["{coord}"].notnull())',
        )
    return np.asarray(along_sites.values[valid])
