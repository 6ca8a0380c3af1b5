"""Which parameters, and which mixes of them, the observations can tell."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from xdpl.evaluation.diagnostics.information import PRIOR
from xdpl.evaluation.diagnostics.spectrum import Seen
from xdpl.report.drawing import FIRST, GREY, SECOND, axes, style, svg
from xdpl.report.elements import figure, heading, items, paragraph, table
from xdpl.report.numbers import number, percent, power_of_ten, with_units

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.report.facts import Facts, OfTarget

__all__ = ["identifiability"]

_WORDS = {Seen.NO_SITE: "no site", Seen.SEEN: "seen", Seen.TRADED_OFF: "traded off", Seen.UNSEEN: "unseen"}


def identifiability(facts: Facts) -> str:
    """Labels and errors of parameters, the spectrum, and the flat directions."""
    out = ""
    for i, target in enumerate(facts.targets):
        if target.told is None:
            continue
        if len(facts.targets) > 1:
            out += heading(target.output)
        out += _said(facts, target) + _table(target.told) + _picture(target.told, f"spectrum-{i}")
        out += _flat(target.told)
    return out


def _said(facts: Facts, target: OfTarget) -> str:
    told = target.told
    assert told is not None
    first, last = json.loads(told.attrs["period"])
    site, pooled = (float(told[k].median()) for k in ("effective_dimension", "pooled_effective_dimension"))
    mean = ", at their means over members or time" if facts.averaged else ""
    return paragraph(
        f"Linearised at the learned parameters{mean}, at all sites of the dataset, {first} to {last}. Error "
        f"of observations: the median RMSE of the fit in that period, "
        f"{with_units(told.attrs['noise'], target.units)}. The data see {number(site)} directions of "
        f"{told.sizes['parameter']} at a site (median), and {number(pooled)} all together."
    ) + paragraph(
        "Standard errors are shares of the distance of the bounds; 0.29 is what the bounds alone leave. "
        "Traded off: seen if the others were known. Unseen: not even then."
    )


def _table(told: xr.Dataset) -> str:
    head = (
        "parameter",
        "all sites together",
        "sites that see it",
        "traded off",
        "unseen",
        "error at a site (median)",
        "error of all together",
    )
    rows = []
    for name in told["parameter"].values:
        one = told.sel(parameter=name)
        known = one["seen"].values[one["seen"].values != Seen.NO_SITE]
        shares = [percent((known == k).mean()) for k in (Seen.SEEN, Seen.TRADED_OFF, Seen.UNSEEN)]
        errors = [number(one["standard_error"].median()), number(one["pooled_standard_error"])]
        rows.append([str(name), _WORDS[int(one["pooled_seen"])], *shares, *errors])
    return table("What the observations tell of each parameter", head, rows, words={1})


def _picture(told: xr.Dataset, name: str) -> str:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    threshold = float(told.attrs["threshold"])
    limit = PRIOR * (1.0 / threshold**2 - 1.0)
    rank = told["direction"].values
    dims = [d for d in told["eigenvalue"].dims if d != "direction"]
    # A logarithmic axis has no zero.
    site, pooled = (
        np.maximum(v.values, 1e-3) for v in (told["eigenvalue"].median(dims), told["pooled_eigenvalue"])
    )
    with style():
        drawing, ax = axes(7.2, 2.6)
        ax.semilogy(rank, pooled, "o", markersize=4, color=SECOND, label="all sites together")
        ax.semilogy(rank, site, "s", markersize=3.5, color=FIRST, label="median site")
        ax.axhline(limit, color=GREY, linewidth=0.9, linestyle="--", label="flat below")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
        ax.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
        ax.set_xlabel("direction, the best seen first")
        ax.set_ylabel("Fisher information")
        ax.legend()
        caption = (
            "Eigenvalues of the Fisher information on shares of the bounds (1); those below 0.001 at 0.001."
        )
        return figure(svg(drawing, name, caption), caption, wide=True)


def _flat(told: xr.Dataset) -> str:
    flat = json.loads(told.attrs["flat_directions"])
    if not flat:
        return paragraph("All sites together see every direction.")
    return heading("Directions that all sites together cannot see") + items(flat)
