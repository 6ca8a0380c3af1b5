"""Volume flow per area: discharge in m3 s-1 as a depth of water."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from xdpl import units
from xdpl.labelled import lookup
from xdpl.labelled.floats import as_type, common_type
from xdpl.models.base import Declaration

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems

__all__ = ["per_area"]

# Not by the standard name cell_area: a river may come from more than its cell.
_AREA = Declaration("area", "m2", "", "area that the flow comes from")
_MEASURE = re.compile(r"\barea\s*:\s*(\S+)")


def per_area(
    ds: xr.Dataset,
    variable: str,
    target: str,
    mapping: Mapping[str, str] | None,
    problems: Problems,
    *,
    convert: bool = True,
) -> tuple[xr.DataArray, str]:
    """Divide a volume flow by its area, where the target units are those of a flow per area.

    Parameters
    ----------
    ds : Dataset
        With the area: named in the mapping as ``"area"``, else in the variable's
        ``cell_measures``, else a variable named ``area``.
    variable : str
        Of the flow, in ``m3 s-1`` or the like.
    target : str
        Units that are wanted, such as ``mm d-1``.
    mapping : mapping of str to str, optional
    convert : bool
        Whether to divide; else only names and units are checked.
    problems : Problems
        Takes a note of an area that is missing, ambiguous or not positive.

    Returns
    -------
    array : DataArray
        With the units of the quotient; the variable itself if there is nothing to divide.
    name : str
        Of the area; empty if there is nothing to divide.
    """
    array = ds[variable]
    source = units.read(array)
    if source is None or not _is_volume_flow(source, target):
        return array, ""
    # Only the area: a mapping names forcings too.
    mapping = {k: v for k, v in (mapping or {}).items() if k == "area"}
    measure = _MEASURE.search(str(array.attrs.get("cell_measures", "")))
    argument = "forcings"
    if measure and not mapping:
        mapping, argument = {"area": measure[1]}, "cell_measures"
    before = len(problems.found)
    name = lookup.find_one(ds, _AREA, mapping, problems, argument=argument)
    if name is None:
        if len(problems.found) == before:
            problems.add(
                variable,
                expected=f"units convertible to {target!r}, or an area to divide by",
                got=f"{source!r} and {lookup.wanted(_AREA).replace('a variable', 'no variable', 1)}",
                fix=f'ds["{variable}"].attrs["cell_measures"] = "area: <variable>"',
            )
        return _as_if(array, target), ""
    _check_dims(ds[name], array, problems)
    if not convert:
        lookup.check_units(ds[name], _AREA.units, problems)
        return _as_if(array, target), name
    area = _checked(ds[name], array, problems)
    if len(problems.found) > before:
        return _as_if(array, target), ""
    divided = units.magnitude(array) / area
    return divided.assign_attrs(units=f"({source}) m-2"), name


def _is_volume_flow(source: str, target: str) -> bool:
    try:
        return units.is_volume_flow(source, target)
    except units.UnitsError:  # said where units are converted
        return False


def _as_if(array: xr.DataArray, target: str) -> xr.DataArray:
    """The array with the units that were wanted: what is wrong has been said."""
    # Shares the data, and does not look at them.
    plain = units.magnitude(array).copy(deep=False)
    plain.attrs = {"units": target}
    return plain


def _check_dims(area: xr.DataArray, flow: xr.DataArray, problems: Problems) -> None:
    extra = [d for d in area.dims if d not in flow.dims]
    if extra or "time" in area.dims:
        problems.add(
            str(area.name),
            expected=f"an area with dims among {tuple(d for d in flow.dims if d != 'time')}",
            got=f"dims {area.dims}",
            fix="name the area of the same sites",
        )


def _checked(area: xr.DataArray, flow: xr.DataArray, problems: Problems) -> xr.DataArray:
    square_metres = lookup.in_units(area, _AREA.units, problems)
    if square_metres.chunks is None and bool((square_metres <= 0).any()):
        problems.add(
            str(area.name),
            expected="an area above 0",
            got=f"{int((square_metres <= 0).sum())} sites with zero or less",
            fix=f'ds["{area.name}"] = ds["{area.name}"].where(ds["{area.name}"] > 0)',
        )
    # Of the flow, so that float32 stays; integers would not hold an area.
    return as_type(square_metres, common_type([units.magnitude(flow)]))
