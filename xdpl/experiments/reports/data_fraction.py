"""The result of `data_fraction` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl.experiments.reports import scaling

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "table"]


def table(result: xr.Dataset) -> str:
    """The table of `scaling`, and the share of sites that learning needs with its interval."""
    largest, name = int(result["size"].max()), result.attrs["score"]
    low, high = np.quantile(result["fraction_resampled"], [0.05, 0.95], method="nearest")
    whole = float(result["fraction"])
    lines = [
        scaling.table(result),
        "",
        f"best regionalisation of {largest} sites: {name} {float(result['reference']):.4f}",
        f"parameter learning matches it with {_percent(whole)} of them, 90 % interval {_percent(low)} to "
        f"{_percent(high)} (held-out sites and seeds resampled)",
    ]
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %" if np.isfinite(share) else "more than 100 %"


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """The picture of `scaling`, with what is to be matched as a line."""
    scaling.draw(result, ax)
    ax.axhline(float(result["reference"]), color="0.6", linewidth=0.8, zorder=0)
    return ax
