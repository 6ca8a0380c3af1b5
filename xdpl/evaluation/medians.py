"""The median site of each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.evaluation.checks import check_labels, check_static, names

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["flags", "medians_of"]


def medians_of(call: str, scores: xr.Dataset, groups: xr.DataArray) -> xr.Dataset:
    """Compute what `xdpl.evaluation.by_group` returns; errors name `call`."""
    problems = Problems(call)
    check_static(problems, "groups", groups)
    if not np.issubdtype(groups.dtype, np.integer):
        problems.add(
            "groups", expected="integer labels", got=str(groups.dtype), fix="groups.fillna(-1).astype(int)"
        )
    for name, variable in scores.data_vars.items():
        missing = [d for d in groups.dims if d not in variable.dims]
        if missing:
            problems.add(
                str(name),
                expected=f"dims {names(groups.dims)}",
                got=names(variable.dims),
                fix=f"drop {name!r}",
            )
    check_labels(problems, "groups", scores, groups)
    problems.raise_if_any()
    # A median needs every site at once, and dask has none over all dims.
    scores, groups = scores.compute(), groups.compute()
    known = {*groups.values.flat, *np.atleast_1d(flags(groups).get("flag_values", [])).tolist()}
    labels = sorted(int(label) for label in known if label >= 0)
    if not labels:
        problems.add("groups", expected="labels from 0", got="none", fix="label at least one site")
        problems.raise_all()
    members = [groups == label for label in labels]
    parts = [_median(scores.where(member), groups.dims) for member in members]
    medians = xr.concat(
        parts, dim="group", data_vars="all", coords="minimal", compat="override", join="exact"
    )
    medians["group"] = ("group", labels, {"long_name": "group of sites", **flags(groups)})
    sites = [int(m.sum()) for m in members]
    medians["sites"] = ("group", sites, {"long_name": "number of sites in the group", "units": "1"})
    return medians.set_coords("sites").drop_encoding()


def _median(scores: xr.Dataset, dims: tuple[Hashable, ...]) -> xr.Dataset:
    # Without keep_attrs the coordinates lose theirs too.
    kept = {name: coord for name, coord in scores.coords.items() if not set(coord.dims) & set(dims)}
    found = scores.median(dims, keep_attrs=False).assign_coords(kept)
    for name, variable in scores.data_vars.items():
        long_name = variable.attrs.get("long_name", name)
        found[name].attrs = {"long_name": f"median over sites of {long_name}"}
        if "units" in variable.attrs:
            found[name].attrs["units"] = variable.attrs["units"]
    return found


def flags(groups: xr.DataArray) -> dict[str, Any]:
    """Pick the CF flag attributes of a field of labels, where it has them."""
    return {key: groups.attrs[key] for key in ("flag_values", "flag_meanings") if key in groups.attrs}
