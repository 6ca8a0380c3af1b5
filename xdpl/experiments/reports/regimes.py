"""The result of `regimes` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import tables
from xdpl.experiments.names import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "means", "table"]


def means(result: xr.Dataset) -> xr.DataArray:
    """Mean over the sites of each group of the score, and over all (contender, seed, group), by name."""
    score, groups = result[result.attrs["score"]], result["groups"]
    dims = list(groups.dims)
    labels = [int(k) for k in result["group"].values]
    parts = [score.where(groups == k).mean(dims) for k in labels]
    names = [_name(groups, k) for k in labels]
    return xr.concat([*parts, score.mean(dims)], "group").assign_coords(group=[*names, "all"])


def _name(groups: xr.DataArray, label: int) -> str:
    meanings = str(groups.attrs.get("flag_meanings", "")).split()
    values = [int(v) for v in groups.attrs.get("flag_values", [])]
    return meanings[values.index(label)] if label in values else f"group {label}"


def table(result: xr.Dataset) -> str:
    """Means of groups, mean and standard deviation of seeds; then cosines between gradients."""
    score = result[result.attrs["score"]]
    found = means(result)
    columns = [str(k) for k in found["group"].values]
    rows = [["", *columns, ""]]
    for name in found["contender"].values:
        cells = [found.sel(contender=name, group=k) for k in columns]
        said = "each site by itself" if name == "calibrated" else NAMES[str(name)]
        rows.append([said, *(f"{float(v.mean()):.4f} ± {float(v.std()):.4f}" for v in cells), ""])
    units = score.attrs["units"]
    lines = [f"mean {result.attrs['score']} of sites ({units}), test period, trained with"]
    lines += tables.text(rows, right=range(1, len(columns) + 1))
    lines += ["", "cosine between gradients of two groups, first half of parameter learning, all sites alike"]
    cosine = result["cosine"].sel(contender="pooled")
    size = result.sizes["group"]
    for i in range(size):
        for j in range(i + 1, size):
            v = cosine.isel(group=i, other=j)
            lines.append(f"  {columns[i]} and {columns[j]}: {float(v.mean()):.2f} ± {float(v.std()):.2f}")
    lines += ["", _change(result, found)]
    return "\n".join(lines)


def _change(result: xr.Dataset, found: xr.DataArray) -> str:
    """What the objective of the worst group changed, of the errors of that group and of all sites."""
    lower = result.attrs["score"].endswith("rmse")
    errors = (found if lower else 1.0 - found).mean("seed")
    pooled, worst = (errors.sel(contender=k, drop=True) for k in ("pooled", "group-dro"))
    hit = pooled.drop_sel(group="all").idxmax("group").item()
    change = worst / pooled - 1.0
    return (
        f"the worst group counting most: {hit} {float(change.sel(group=hit)):+.1%}, "
        f"all {float(change.sel(group='all')):+.1%}"
    )


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """Means of groups: points for seeds, lines for their means, a colour for each way of training."""
    found = means(result)
    names = [str(k) for k in found["contender"].values]
    for i, name in enumerate(names):
        part = found.sel(contender=name)
        place = np.arange(part.sizes["group"]) + 0.6 * (i - 0.5 * (len(names) - 1)) / len(names)
        label = "each site by itself" if name == "calibrated" else NAMES[name]
        (line,) = ax.plot(place, part.mean("seed"), "_", markersize=12, label=label)
        ax.plot(place, part.transpose("group", "seed"), ".", color=line.get_color(), markersize=4)
    ax.set_xticks(range(found.sizes["group"]), [str(k) for k in found["group"].values])
    ax.set_ylabel(f"mean {result.attrs['score']} of sites")
    ax.legend(frameon=False, fontsize="small")
    return ax
