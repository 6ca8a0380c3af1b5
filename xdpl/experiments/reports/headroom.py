"""The result of `headroom` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import tables
from xdpl.experiments.names import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "table"]


def table(result: xr.Dataset) -> str:
    """Median score, and what of the error is taken away; a warning where nothing can be."""
    score = result[result.attrs["score"]]
    dims = [d for d in score.dims if d not in ("contender", "seed")]
    medians = score.median(dims)
    rows = [["", str(score.name), "gain", "of the oracle's", ""]]
    for name in result["contender"].values:
        v, part = medians.sel(contender=name), result.sel(contender=name)
        numbers = [f"{float(part[k]):.0%}" if np.isfinite(part[k]) else "–" for k in ("gain", "share")]
        rows.append([NAMES[str(name)], f"{float(v.mean()):.4f} ± {float(v.std()):.4f}", *numbers, ""])
    lines = [
        f"median {score.name} of {result.attrs['target']} ({score.attrs['units']}), test period, same sites"
    ]
    lines += ["gain: part of the error of the uncalibrated model that is taken away"]
    lines += tables.text(rows, right=(1, 2, 3))
    if bool(result["marginal"]):
        lines += ["WARNING: marginal by construction: parameters of each site by itself hardly help either"]
    return "\n".join(lines)


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """Median score of everybody: points for seeds, bars for their means."""
    score = result[result.attrs["score"]]
    medians = score.median([d for d in score.dims if d not in ("contender", "seed")])
    names = [NAMES[str(name)] for name in result["contender"].values]
    place = np.arange(len(names))[::-1]
    ax.barh(place, medians.mean("seed"), color="0.85")
    ax.plot(medians.transpose("contender", "seed"), place[:, None] + np.zeros(medians.sizes["seed"]), "k.")
    ax.set_yticks(place, names)
    ax.set_xlabel(f"median {score.name} ({score.attrs['units']})")
    return ax
