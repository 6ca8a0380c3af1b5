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

__all__ = ["check_names", "check_units", "find", "find_one", "in_units", "size_in_units", "wanted"]

_OVER_TIME = re.compile(r"\btime\s*: (?:\w+\s*: )*(\w+)")
_NOT_THE_MEAN = {"minimum", "maximum", "range", "standard_deviation", "variance"}


def find(
    ds: xr.Dataset,
    declared: Iterable[Declaration],
    mapping: Mapping[str, str] | None,
    problems: Problems,
    *,
    argument: str = "forcings",
    also: Iterable[str] = (),
) -> dict[str, dict[str, str]]:
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
    also : iterable of str
        Further names that a mapping may have.

    Returns
    -------
    dict of declared name to its sources
        Only what was found. The sources are the variable by its declared name, or those
        that a forcing is the mean of.
    """
    declared = tuple(declared)
    mapping = dict(mapping or {})
    also = [*also, *(part.name for d in declared for part in _parts(d))]
    check_names(mapping, [*(d.name for d in declared), *also], problems, argument=argument)
    found = {}
    for d in declared:
        before = len(problems.found)
        sources = _sources(ds, d, mapping, problems, argument)
        if sources:
            found[d.name] = sources
        elif len(problems.found) == before:
            problems.add(d.name, expected=wanted(d), got="none", fix=_fix(d, argument))
    return found


def _parts(d: Declaration) -> tuple[Declaration, ...]:
    return getattr(d, "mean_of", ())


def _sources(
    ds: xr.Dataset, d: Declaration, mapping: Mapping[str, str], problems: Problems, argument: str
) -> dict[str, str]:
    """The variable itself, else those it is the mean of; these go first where the mapping names them."""
    parts = _parts(d)
    named = d.name not in mapping and any(part.name in mapping for part in parts)
    for needed in (parts,) if named else ((d,), parts):
        before = len(problems.found)
        found = {n.name: find_one(ds, n, mapping, problems, argument=argument) for n in needed}
        sources = {k: v for k, v in found.items() if v is not None}
        if needed and len(sources) == len(needed):
            return sources
        # Ambiguous or named in vain: never fall back on something else silently.
        if len(problems.found) > before:
            break
        if named:
            for part in parts:
                if part.name not in sources:
                    problems.add(part.name, expected=wanted(part), got="none", fix=_fix(part, argument))
    return {}


def check_names(
    mapping: Mapping[str, str], known: Iterable[str], problems: Problems, *, argument: str = "forcings"
) -> None:
    """Note the names of a mapping that are not declared."""
    known = list(known)
    for name in sorted(mapping.keys() - set(known)):
        close = difflib.get_close_matches(name, known, n=1)
        problems.add(
            f"{argument}[{name!r}]",
            expected=f"one of {', '.join(known)}",
            got=repr(name),
            fix=f"use {close[0]!r}" if close else "remove it",
        )


def find_one(
    ds: xr.Dataset,
    d: Declaration,
    mapping: Mapping[str, str],
    problems: Problems,
    *,
    argument: str = "forcings",
) -> str | None:
    """Name of the variable; a problem is noted if it is ambiguous or named in vain, not if it is absent."""
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
    same = _by_standard_name(ds, d)
    if len(same) > 1:
        problems.add(
            d.name,
            expected=wanted(d),
            got=f"{len(same)} with that standard_name: {', '.join(same)}",
            fix=f'{argument}={{"{d.name}": "{same[0]}"}}',
        )
    return same[0] if len(same) == 1 else None


def wanted(d: Declaration) -> str:
    """What would be taken for a declared quantity, in words."""
    text = f"a variable named {d.name!r}"
    if d.standard_name:
        text += f" or with standard_name {' or '.join(map(repr, (d.standard_name, *d.synonyms)))}"
    if d.statistic:
        text += f" and cell_methods 'time: {d.statistic}'"
    if parts := _parts(d):
        text += f" (or {' and '.join(part.name for part in parts)})"
    return f"{text}, convertible to {d.units!r}"


def _by_standard_name(ds: xr.Dataset, d: Declaration) -> list[str]:
    """Variables with the standard name and the statistic; a mean goes before what does not say."""
    if not d.standard_name:
        return []
    names = (d.standard_name, *d.synonyms)
    variables = {k: v for k, v in ds.variables.items() if v.attrs.get("standard_name") in names}
    said = {str(k): _statistic(v) for k, v in variables.items()}
    if d.statistic:
        return [k for k, statistic in said.items() if statistic == d.statistic]
    same = [k for k, statistic in said.items() if statistic not in _NOT_THE_MEAN]
    means = [k for k in same if said[k] == "mean"]
    return means if len(means) == 1 else same


def _statistic(variable: xr.Variable) -> str | None:
    match = _OVER_TIME.search(str(variable.attrs.get("cell_methods", "")))
    return match[1] if match else None


def _fix(d: Declaration, argument: str) -> str:
    if d.name == "potential_evapotranspiration":
        return 'ds["potential_evapotranspiration"] = ds.dpl.pet(method="oudin")'
    return f'{argument}={{"{d.name}": "<variable>"}}'


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

    if not check_units(array, units, problems, subject=subject):
        return array
    return u.strip(array, units)


def size_in_units(array: xr.DataArray, units: str, problems: Problems, *, subject: str = "") -> xr.DataArray:
    """Values of a difference in `units`, of which only the size counts: 1 degC is 1 K; else as `in_units`."""
    from xdpl import units as u

    if not check_units(array, units, problems, subject=subject):
        return array
    slope, _ = u.linear(str(u.read(array)), units)
    return (u.magnitude(array) * slope).drop_attrs(deep=False)


def check_units(array: xr.DataArray, units: str, problems: Problems, *, subject: str = "") -> bool:
    """Note units that are missing or do not convert, without a look at values; arguments as in `in_units`."""
    from xdpl import units as u

    subject = subject or str(array.name)
    source = u.read(array)
    fix = f'ds["{array.name or subject}"].attrs["units"] = "<its units>"'
    if source is None:
        problems.add(subject, expected=f"units convertible to {units!r}", got="no units attribute", fix=fix)
        return False
    try:
        u.linear(source, units)
    except u.UnitsError as error:
        problems.add(
            subject, expected=f"units convertible to {units!r}", got=f"{source!r} ({error})", fix=fix
        )
        return False
    return True
