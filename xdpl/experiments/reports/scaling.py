"""The result of `scaling` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import tables
from xdpl.experiments.names import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "medians", "table"]


def medians(result: xr.Dataset) -> xr.DataArray:
    """Median over the held-out sites of the reported score of every trial."""
    score = result[result.attrs["score"]]
    trial = ("contender", "days", "size", "seed")
    return score.median([d for d in score.dims if d not in trial]).assign_attrs(score.attrs)


def table(result: xr.Dataset) -> str:
    """Medians over sites, mean and standard deviation of seeds, a row for each contender."""
    found = medians(result)
    lines = [f"median {found.name} ({found.attrs['units']}) at sites that were held out"]
    for part in [found.isel(days=i) for i in range(found.sizes["days"])] if "days" in found.dims else [found]:
        if "days" in part.coords:
            lines.append(f"\n{int(part['days'])} days of training")
        rows = [["training sites", *(str(int(n)) for n in part["size"]), ""]]
        for name in part["contender"].values:
            cells = part.sel(contender=name)
            shown = [_cell(cells.sel(size=n).values) for n in part["size"].values]
            rows.append([NAMES[str(name)], *shown, ""])
        lines += tables.text(rows, right=range(1, len(rows[0])))
    return "\n".join(lines)


def _cell(values: np.ndarray) -> str:
    mean = f"{np.mean(values):.4f}"
    return f"{mean} ± {np.std(values):.4f}" if len(values) > 1 else mean


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """Median score against the number of training sites: lines for means of seeds, points for each."""
    found = medians(result)
    if "days" in found.dims:
        # The others are in the table.
        found = found.isel(days=-1)
    for name in found["contender"].values:
        part = found.sel(contender=name)
        (line,) = ax.plot(part["size"], part.mean("seed"), label=NAMES[str(name)])
        for seed in part["seed"].values:
            ax.plot(part["size"], part.sel(seed=seed), ".", color=line.get_color(), markersize=3)
    ax.set_xscale("log")
    sizes = found["size"].values
    ax.set_xticks(sizes, [str(int(n)) for n in sizes])
    ax.minorticks_off()
    ax.set_xlabel("training sites")
    ax.set_ylabel(f"{str(found.name).upper()} at held-out sites ({found.attrs['units']})")
    ax.legend(frameon=False, fontsize="small")
    return ax
