"""Choose the variables of a dataset for a method."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from xdpl.errors import Problems
from xdpl.evaporation.declarations import STATISTIC, Alternatives
from xdpl.labelled import lookup

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.evaporation.methods import Method
    from xdpl.models.base import Forcing

__all__ = ["choose"]

_OVER_TIME = re.compile(r"\btime: (?:\w+: )*(\w+)")
_NOT_THE_MEAN = {"minimum", "maximum", "range", "standard_deviation", "variance"}


def choose(
    ds: xr.Dataset, method: Method, mapping: Mapping[str, str], problems: Problems
) -> dict[Forcing, str]:
    """Match what a method needs with variables of the dataset.

    Parameters
    ----------
    ds : Dataset
    method : Method
    mapping : mapping of declared name to variable name
        Goes before names and standard names, and before other alternatives.
    problems : Problems
        Takes a note of everything missing, ambiguous or unknown.

    Returns
    -------
    dict of Forcing to variable name
        In the order of the method's needs; without what is missing.
    """
    known = {f.name for needs in method.needs for alternative in needs for f in alternative}
    if method.solar:
        known.add("latitude")
    for name in sorted(mapping.keys() - known):
        close = difflib.get_close_matches(name, known, n=1)
        problems.add(
            f"forcings[{name!r}]",
            expected=f"one of {', '.join(sorted(known))}",
            got=repr(name),
            fix=f"use {close[0]!r}" if close else "remove it",
        )
    chosen: dict[Forcing, str] = {}
    for needs in method.needs:
        chosen |= _choose_one(ds, needs, mapping, problems)
    # Two needs may miss the same variable.
    problems.found = list({str(problem): problem for problem in problems.found}.values())
    return chosen


def _choose_one(
    ds: xr.Dataset, needs: Alternatives, mapping: Mapping[str, str], problems: Problems
) -> dict[Forcing, str]:
    """First alternative that the dataset holds; one named in the mapping goes first."""
    for alternative in sorted(needs, key=lambda a: not any(f.name in mapping for f in a)):
        scratch = Problems(problems.call)
        names = {f: _find(ds, f, mapping, scratch) for f in alternative}
        found = {f: name for f, name in names.items() if name is not None}
        if len(found) == len(alternative):
            return found
        # Ambiguous or named in vain: never fall back on something else silently.
        if scratch.found or any(f.name in mapping for f in alternative):
            problems.found += scratch.found
            noted = {problem.subject for problem in scratch.found}
            _report_missing([f for f in alternative if f not in found and f.name not in noted], (), problems)
            return found
    first, *others = needs
    _report_missing([f for f in first if _find(ds, f, mapping, problems) is None], tuple(others), problems)
    return {}


def _find(ds: xr.Dataset, forcing: Forcing, mapping: Mapping[str, str], problems: Problems) -> str | None:
    """Name of the variable; a problem is noted where it is ambiguous or named in vain."""
    if forcing.name in mapping or forcing.name in ds.variables:
        explicit = {key: name for key, name in mapping.items() if key == forcing.name}
        return lookup.find(ds, (forcing,), explicit, problems).get(forcing.name)
    same = [str(name) for name, array in (*ds.data_vars.items(), *ds.coords.items()) if _fits(array, forcing)]
    over_time = [name for name in same if _statistic(ds[name]) == "mean"]
    if len(same) > 1 and len(over_time) == 1:
        same = over_time
    if len(same) > 1:
        problems.add(
            forcing.name,
            expected="one variable",
            got=f"{len(same)} with standard_name {forcing.standard_name!r}: {', '.join(same)}",
            fix=f'forcings={{"{forcing.name}": "{same[0]}"}}',
        )
    return same[0] if len(same) == 1 else None


def _fits(array: xr.DataArray, forcing: Forcing) -> bool:
    if array.attrs.get("standard_name") != forcing.standard_name:
        return False
    wanted = STATISTIC.get(forcing.name)
    statistic = _statistic(array)
    return statistic == wanted if wanted else statistic not in _NOT_THE_MEAN


def _statistic(array: xr.DataArray) -> str | None:
    match = _OVER_TIME.search(str(array.attrs.get("cell_methods", "")))
    return match[1] if match else None


def _report_missing(missing: list[Forcing], others: Alternatives, problems: Problems) -> None:
    instead = "".join(f", or instead {' and '.join(f.name for f in other)}" for other in others)
    for forcing in missing:
        wanted = f"a variable named {forcing.name!r} or with standard_name {forcing.standard_name!r}"
        if forcing.name in STATISTIC:
            wanted += f" and cell_methods 'time: {STATISTIC[forcing.name]}'"
        problems.add(
            forcing.name,
            expected=f"{wanted}, convertible to {forcing.units!r}{instead}",
            got="none",
            fix=f'forcings={{"{forcing.name}": "<variable>"}}',
        )
