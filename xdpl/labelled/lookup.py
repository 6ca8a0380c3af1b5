"""Find what a model needs in a dataset: by mapping, then name, then standard name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems
    from xdpl.models.base import Declaration

__all__ = ["find", "in_units"]

_EXTREME = re.compile(r"time\s*:\s*(minimum|maximum)")


def find(
    ds: xr.Dataset,
    declared: Iterable[Declaration],
    mapping: Mapping[str, str] | None,
    problems: Problems,
    *,
    argument: str = "forcings",
) -> dict[str, str]:
    """Match declared names with variables of the dataset.

    Parameters
    ----------
    ds : Dataset
    declared : iterable of Forcing
        What is needed.
    mapping : mapping of declared name to variable name, optional
        Goes before names and standard names.
    problems : Problems
        Takes a note of everything missing, ambiguous or unknown.
    argument : str
        Name of the keyword through which a user passes the mapping.

    Returns
    -------
    dict of declared name to variable name
        Only what was found.
    """
    declared = tuple(declared)
    mapping = dict(mapping or {})
    known = [d.name for d in declared]
    for name in mapping.keys() - set(known):
        close = difflib.get_close_matches(name, known, n=1)
        problems.add(
            f"{argument}[{name!r}]",
            expected=f"one of {', '.join(known)}",
            got=repr(name),
            fix=f"use {close[0]!r}" if close else "remove it",
        )
    found = {}
    for d in declared:
        variable = _find_one(ds, d, mapping, problems, argument)
        if variable is not None:
            found[d.name] = variable
    return found


def _find_one(
    ds: xr.Dataset, d: Declaration, mapping: Mapping[str, str], problems: Problems, argument: str
) -> str | None:
    if d.name in mapping:
        if mapping[d.name] in ds.variables:
            return mapping[d.name]
        problems.add(
            d.name,
            expected=f"the variable {mapping[d.name]!r} named in {argument}",
            got="no such variable",
            fix=f"name one of {', '.join(map(str, ds.data_vars))}",
        )
        return None
    if d.name in ds.variables:
        return d.name
    same = _by_standard_name(ds, d.standard_name)
    if len(same) == 1:
        return same[0]
    wanted = f"a variable named {d.name!r}"
    if d.standard_name:
        wanted += f" or with standard_name {d.standard_name!r}"
    problems.add(
        d.name,
        expected=f"{wanted}, convertible to {d.units!r}",
        got=f"{len(same)} with that standard_name: {', '.join(same)}" if same else "none",
        fix=_fix(d, same, argument),
    )
    return None


def _by_standard_name(ds: xr.Dataset, standard_name: str) -> list[str]:
    if not standard_name:
        return []
    same = {k: v for k, v in ds.data_vars.items() if v.attrs.get("standard_name") == standard_name}
    # CF gives daily extremes the same standard name; only cell_methods tells them from the mean.
    return [str(k) for k, v in same.items() if not _EXTREME.search(str(v.attrs.get("cell_methods", "")))]


def _fix(d: Declaration, same: list[str], argument: str) -> str:
    if d.name == "potential_evapotranspiration" and not same:
        return 'ds["potential_evapotranspiration"] = ds.dpl.pet(method="priestley_taylor")'
    return f'{argument}={{"{d.name}": "{same[0] if same else "<variable>"}"}}'


def in_units(array: xr.DataArray, units: str, problems: Problems, *, subject: str = "") -> xr.DataArray:
    """Values in `units`, stripped of pint units and attributes; lazy data stay lazy.

    Parameters
    ----------
    array : DataArray
        With a `units` attribute or pint-quantified.
    units : str
        Target units.
    problems : Problems
        Takes a note of missing or incompatible units; then values come back as they are.
    subject : str
        How to call the variable in a problem; its own name if empty.
    """
    from xdpl import units as u

    subject = subject or str(array.name)
    source = u.read(array)
    fix = f'ds["{array.name or subject}"].attrs["units"] = "<its units>"'
    if source is None:
        problems.add(subject, expected=f"units convertible to {units!r}", got="no units attribute", fix=fix)
        return array
    try:
        return u.strip(array, units)
    except u.UnitsError as error:
        problems.add(
            subject, expected=f"units convertible to {units!r}", got=f"{source!r} ({error})", fix=fix
        )
        return array
