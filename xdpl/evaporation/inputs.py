"""Choose the variables of a dataset for a method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from xdpl.errors import Problems
from xdpl.evaporation.declarations import Alternatives
from xdpl.labelled import lookup

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.evaporation.methods import Method
    from xdpl.models.base import Forcing

__all__ = ["choose"]


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
    lookup.check_names(mapping, sorted(known), problems)
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
        names = {f: lookup.find_one(ds, f, mapping, scratch) for f in alternative}
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
    _report_missing(
        [f for f in first if lookup.find_one(ds, f, mapping, problems) is None], tuple(others), problems
    )
    return {}


def _report_missing(missing: list[Forcing], others: Alternatives, problems: Problems) -> None:
    instead = "".join(f", or instead {' and '.join(f.name for f in other)}" for other in others)
    for forcing in missing:
        problems.add(
            forcing.name,
            expected=f"{lookup.wanted(forcing)}{instead}",
            got="none",
            fix=f'forcings={{"{forcing.name}": "<variable>"}}',
        )
