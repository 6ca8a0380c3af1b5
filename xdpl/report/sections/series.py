"""Observed and simulated target over time, at a few sites."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdpl.plot.inputs import axis_label
from xdpl.plot.temporal import draw
from xdpl.report.drawing import FIRST, INK, axes, style, svg
from xdpl.report.elements import figure, heading, paragraph
from xdpl.report.numbers import with_units

if TYPE_CHECKING:
    from xdpl.report.facts import Facts, OfTarget, Shown

__all__ = ["series"]

# More dots than a picture of this width shows.
_DOTS = 1500


def series(facts: Facts) -> str:
    """A picture for each site, the best first."""
    if not any(target.series for target in facts.targets):
        return ""
    out = paragraph(
        "Sites from the best to the worst by the main metric of the target, over the scored days."
    )
    for i, target in enumerate(facts.targets):
        if len(facts.targets) > 1:
            out += heading(target.output)
        out += "".join(_picture(target, shown, f"series-{i}-{j}") for j, shown in enumerate(target.series))
    return out


def _picture(target: OfTarget, shown: Shown, name: str) -> str:
    assert target.scores is not None
    main = target.main
    score = with_units(shown.score, target.scores[main.name].attrs.get("units", "1"))
    caption = f"{shown.rank[0].upper()}{shown.rank[1:]}: {shown.site}, {main.name} {score}."
    with style():
        drawing, ax = axes(8.0, 2.1)
        many = int(shown.observed.notnull().sum()) > _DOTS
        look = {"linewidth": 0.8} if many else {"linestyle": "none", "marker": ".", "markersize": 3.5}
        draw(shown.observed, ax, color=INK, label="observed", **look)
        draw(shown.simulated, ax, color=FIRST, label="simulated")
        ax.set_ylabel(axis_label(shown.simulated).replace(" (", "\n("))
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 0.98), ncols=2, borderaxespad=0.0)
        return figure(svg(drawing, name, f"Time series of {target.output}. {caption}"), caption, wide=True)
