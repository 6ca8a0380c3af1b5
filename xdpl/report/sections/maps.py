"""Learned parameters: a table, and a map of each and of the main score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import plot
from xdpl.errors import Problems
from xdpl.evaluation.spatial.positions import positions
from xdpl.plot.colours import colours
from xdpl.report.drawing import FIRST, axes, style, svg
from xdpl.report.elements import figure, figures, paragraph, table
from xdpl.report.numbers import number, percent
from xdpl.report.quantiles import spread

if TYPE_CHECKING:
    from xdpl.report.facts import Facts

__all__ = ["maps"]

_SIZE = (3.1, 2.35)
# Area of all marks of a map together, in points²: more sites have smaller marks.
_COVERED = 3000.0


def maps(facts: Facts) -> str:
    """A table of parameters, small maps of them and of scores."""
    if facts.period is None:
        return ""
    out = _table(facts) if facts.parameters is not None else ""
    fields = _fields(facts)
    parts = [_picture(array, text, f"map-{i}") for i, (array, text) in enumerate(fields)]
    if not _have_places(fields[0][0]):
        words = "The dataset has no latitude and longitude: values are shown in their order."
        out += paragraph(words)
    return out + figures(parts)


def _fields(facts: Facts) -> list[tuple[xr.DataArray, str]]:
    """What is mapped, and captions."""
    found = []
    for target in facts.targets:
        if target.scores is not None:
            score = target.scores[target.main.name]
            found.append((score, f"{target.main.long_name}, {target.output}"))
    for p in facts.fit.model.parameters if facts.parameters is not None else ():
        assert facts.parameters is not None
        mean = (facts.averaged or {}).get(p.name)
        text = (p.long_name or p.name.replace("_", " ")) + (f", mean over {mean}" if mean else "")
        found.append((facts.parameters[p.name], text))
    return found


def _table(facts: Facts) -> str:
    assert facts.parameters is not None and facts.at_bounds is not None
    head = (
        "parameter",
        "meaning",
        "units",
        "lower",
        "upper",
        "default",
        "median",
        "10 %",
        "90 %",
        "at a bound",
    )
    rows = []
    for p in facts.fit.model.parameters:
        values = facts.parameters[p.name]
        numbers = [p.lower, p.upper, p.default, *spread(values)]
        near = percent(facts.at_bounds[p.name])
        rows.append([p.name, p.long_name or p.name, p.units, *map(number, numbers), near])
    caption = (
        f"Learned parameters over sites, and the share of sites within 1 % of a bound, {facts.fit.model.name}"
    )
    return table(caption, head, rows, words={1, 2})


def _picture(array: xr.DataArray, text: str, name: str) -> str:
    from matplotlib.collections import PathCollection

    with style():
        drawing, ax = axes(*_SIZE)
        if not bool(array.notnull().any()):
            return paragraph(f"{array.name}: missing at all sites.")
        if _have_places(array):
            plot.maps(array.to_dataset(name=array.name), ax=ax)
            # As paths, every site would be some hundred bytes of each map.
            for each in drawing.axes:
                for artist in each.collections:
                    artist.set_rasterized(True)
                    if isinstance(artist, PathCollection):
                        artist.set_sizes([min(12.0, _COVERED / array.size)])
            ax.set_xlabel("longitude (°E)", fontsize=7)
            ax.set_ylabel("latitude (°N)", fontsize=7)
        else:
            _in_order(array, ax)
        return figure(svg(drawing, name, f"{array.name}: {text}"), f"{text[0].upper()}{text[1:]}")


def _in_order(array: xr.DataArray, ax: object) -> None:
    values = np.sort(array.values[np.isfinite(array.values)])
    scale, _ = colours(array.name, values)
    ax.plot(np.arange(1, values.size + 1), values, ".", markersize=3, color=FIRST)  # type: ignore[attr-defined]
    if "vmin" in scale:
        ax.set_ylim(min(scale["vmin"], values[0]), max(scale["vmax"], values[-1]))  # type: ignore[attr-defined]
    ax.set_title(f"{array.name} ({array.attrs.get('units', '1')})")  # type: ignore[attr-defined]
    ax.set_xlabel("sites in the order of their values", fontsize=7)  # type: ignore[attr-defined]


def _have_places(array: xr.DataArray) -> bool:
    """Whether a map can be drawn: coordinates that it finds, along the dims of the sites."""
    problems = Problems("report")
    _, dims = positions(array, problems)
    return not problems.found and set(dims) == set(array.dims)
