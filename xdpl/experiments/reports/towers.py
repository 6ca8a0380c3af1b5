"""The result of `towers` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl.experiments.names import NAMES
from xdpl.experiments.reports.transfer import blocks, outputs_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "table"]


def table(result: xr.Dataset) -> str:
    """Mean and standard deviation of seeds, tower by tower, a row for each contender."""
    case, learned_on = result.attrs["case"], result.attrs["learned_on"]
    lines = [
        f"towers, test period; calibrated with {learned_on} at the tower, or learned with it on {case}",
        "bias: over the observed mean",
    ]
    for site in result["site"].values:
        part = result.sel(site=[site])
        lines += ["", f"{site}{_far(part)}", *blocks(part, [o for o in outputs_of(part) if _scored(part, o)])]
    return "\n".join(lines)


def _far(part: xr.Dataset) -> str:
    if "distance" not in part:
        return ""
    return f", {float(part['distance'][0]):.0f} km from the nearest site of {part.attrs['case']}"


def _scored(part: xr.Dataset, output: str) -> bool:
    return bool(part[f"{output}_rmse"].notnull().any())


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """Correlation of everything that was scored, tower by tower: a point for each seed."""
    groups = [
        (str(site), output)
        for site in result["site"].values
        for output in outputs_of(result)
        if _scored(result.sel(site=[site]), output)
    ]
    names = [str(name) for name in result["contender"].values]
    for i, name in enumerate(names):
        place = np.arange(len(groups)) + 0.6 * (i - 0.5 * (len(names) - 1)) / len(names)
        values = [
            result[f"{output}_correlation"].sel(site=site, contender=name).values for site, output in groups
        ]
        (line,) = ax.plot(place, np.mean(values, axis=1), "_", markersize=9, label=NAMES[name])
        ax.plot(place, values, ".", color=line.get_color(), markersize=4)
    labels = [f"{site}\n{output.replace('_', chr(10))}" for site, output in groups]
    ax.set_xticks(range(len(groups)), labels, fontsize=6)
    ax.set_ylabel("correlation in the test period")
    ax.legend(frameon=False, fontsize="small")
    return ax
