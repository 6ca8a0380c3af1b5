"""Latitude and longitude of a dataset, found and in degrees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from xdpl import units
from xdpl.labelled import lookup

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems

__all__ = ["Kind", "find_place", "in_degrees"]

Kind = Literal["latitude", "longitude"]

_EXAMPLE = {"latitude": "degrees_north", "longitude": "degrees_east"}
# Longitudes come from -180 to 180 or from 0 to 360.
_LARGEST = {"latitude": 90.0, "longitude": 360.0}
_BEYOND = {
    "latitude": "degrees between -90 and 90",
    "longitude": "degrees between -180 and 360",
}


def find_place(
    ds: xr.Dataset, kind: Kind, problems: Problems, mapping: Mapping[str, str] | None = None
) -> str | None:
    """Name of a coordinate: by mapping, then by name, such as `latitude` or `lat`, then by standard name.

    Parameters
    ----------
    ds : Dataset
    kind : {"latitude", "longitude"}
    problems : Problems
        Takes a note if it is missing or ambiguous.
    mapping : mapping of declared name to variable name, optional
    """
    short = kind[:3]
    explicit = (mapping or {}).get(kind)
    for name in (kind, short) if explicit is None else (explicit,):
        if name in ds.variables:
            return name
    same = [str(n) for n, v in ds.variables.items() if v.attrs.get("standard_name") == kind]
    if explicit is not None:
        got = f"no variable {explicit!r}"
    elif len(same) == 1:
        return same[0]
    else:
        got = f"{len(same)} with that standard_name: {', '.join(same)}" if same else "none"
    problems.add(
        kind,
        expected=f"a coordinate named {kind!r} or {short!r} or with standard_name {kind!r}, in degrees",
        got=got,
        fix=f'ds = ds.assign_coords({short}=("<dim>", values, {{"units": "{_EXAMPLE[kind]}"}}))',
    )
    return None


def in_degrees(ds: xr.Dataset, name: str, kind: Kind, problems: Problems) -> xr.Variable:
    """Latitude or longitude in degrees.

    Parameters
    ----------
    ds : Dataset
    name : str
        Of the coordinate.
    kind : {"latitude", "longitude"}
    problems : Problems
        Takes a note of units that are missing or no angle, and of values beyond the poles
        or the full circle.
    """
    array = ds[name]
    if units.read(array) is None:
        problems.add(
            kind,
            expected="units convertible to 'degrees'",
            got=f"{name!r} without a units attribute",
            fix=f'ds["{name}"].attrs["units"] = "{_EXAMPLE[kind]}"',
        )
        return array.variable.to_base_variable()
    before = len(problems.found)
    degrees = lookup.in_units(array, "degrees", problems, subject=kind).variable.to_base_variable()
    if len(problems.found) > before:
        return degrees
    if degrees.chunks is None and bool((abs(degrees) > _LARGEST[kind]).any()):
        problems.add(
            kind,
            expected=_BEYOND[kind],
            got=f"{name!r} between {float(degrees.min()):g} and {float(degrees.max()):g}",
            fix=f'correct ds["{name}"], or drop it and name the right one {kind!r}',
        )
    return degrees
