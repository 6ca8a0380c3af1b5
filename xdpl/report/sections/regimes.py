"""Scores of groups of sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdpl.evaluation import by_group
from xdpl.evaluation.declared import METRICS
from xdpl.report.distribution import distribution
from xdpl.report.elements import heading, paragraph, table
from xdpl.report.labels import label_names
from xdpl.report.numbers import number

if TYPE_CHECKING:
    from xdpl.report.facts import Facts, OfTarget

__all__ = ["regimes"]

# More lines than a reader tells apart.
_MOST = 6


def regimes(facts: Facts) -> str:
    """A table and a picture for each target that has groups."""
    out = ""
    for i, target in enumerate(facts.targets):
        if target.groups is None or target.scores is None:
            continue
        if len(facts.targets) > 1:
            out += heading(target.output)
        out += _table(target) + _picture(target, f"groups-{i}")
    return out


def _table(target: OfTarget) -> str:
    assert target.scores is not None and target.groups is not None
    names = label_names(target.groups)
    known = [m for m in METRICS if m.name in target.scores]
    medians = by_group(target.scores[[m.name for m in known]], target.groups)
    units = {m.name: target.scores[m.name].attrs.get("units", "1") for m in known}
    head = ["group", "sites", *(f"{m.name}{_in(units[m.name])}" for m in known)]
    rows = [
        [
            names[int(label)],
            str(int(medians["sites"].sel(group=label))),
            *(number(medians[m.name].sel(group=label)) for m in known),
        ]
        for label in medians["group"].values
    ]
    kind = target.groups.attrs.get("long_name", "group")
    return table(f"Median scores of {target.output}, by {kind}", head, rows)


def _in(units: str) -> str:
    return "" if units == "1" else f" ({units})"


def _picture(target: OfTarget, name: str) -> str:
    assert target.scores is not None and target.groups is not None
    main = target.main.name
    runs = {}
    for label, said in label_names(target.groups).items():
        part = target.scores[[main]].where(target.groups == label)
        part[main].attrs = target.scores[main].attrs
        if bool(part[main].notnull().any()):
            runs[said] = part
    if not 1 < len(runs) <= _MOST:
        return "" if len(runs) < 2 else paragraph(f"{len(runs)} groups: too many for a picture.")
    caption = f"Share of the sites of each group with {main} of {target.output} up to that value."
    return distribution(runs, main, name, caption)
