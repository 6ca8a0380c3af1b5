"""The result of `cost` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from xdpl import tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CELLS", "draw", "projected", "table"]

#: Land cells of a global grid of a quarter of a degree, without ice.
CELLS = 77_000
LABELS = {"dpl": "parameter learning", "sce-ua": "SCE-UA"}


def table(result: xr.Dataset) -> str:
    """What the score that both reach needs, mean and standard deviation of seeds; and a projection."""
    runs, seconds = (result[f"{k}_needed"].mean("seed") for k in ("runs", "core_seconds"))
    sizes = [int(n) for n in result["size"]]
    rows = [["sites", *map(str, sizes), ""]]
    for name, label in LABELS.items():
        rows.append(
            [f"{label}: runs of each site", *map(_cell, result["runs_needed"].sel(contender=name)), ""]
        )
    ratio = runs.sel(contender="sce-ua") / runs.sel(contender="dpl")
    rows.append(["times fewer", *(f"{float(v):.1f}" for v in ratio), ""])
    for name, label in LABELS.items():
        cells = (f"{float(v):.0f}" for v in seconds.sel(contender=name))
        rows.append([f"{label}: core-seconds, all sites", *cells, ""])
    lines = [f"for the {result.attrs['score']} of the test period that both reach, within 2 %"]
    lines += tables.text(rows, right=range(1, len(sizes) + 1))
    hours = projected(result)
    lines += [
        "",
        f"projected to {CELLS} cells, core-hours: parameter learning {hours['dpl']:.2f}, "
        f"SCE-UA {hours['sce-ua']:.1f}",
        "assumed: a cell costs either of them what a site of the largest sample did, also where the runs of "
        "a site that learning needs fell with more sites.",
    ]
    return "\n".join(lines)


def _cell(of_seeds: xr.DataArray) -> str:
    mean = f"{float(of_seeds.mean()):.0f}"
    return f"{mean} ± {float(of_seeds.std()):.0f}" if of_seeds.size > 1 else mean


def projected(result: xr.Dataset) -> dict[str, float]:
    """Core-hours for `CELLS` cells at the cost of a site of the largest sample."""
    largest = result["core_seconds_needed"].isel(size=-1).mean("seed")
    each = largest / int(result["size"][-1])
    return {name: float(each.sel(contender=name)) * CELLS / 3600.0 for name in LABELS}


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """Score against runs of each site, a line for each number of sites; means of seeds."""
    score = result[result.attrs["score"]].mean("seed")
    runs = result["runs"].mean("seed")
    shades = {"dpl": "Blues", "sce-ua": "Oranges"}
    import matplotlib as mpl

    for name, label in LABELS.items():
        colours = mpl.colormaps[shades[name]]
        for i, size in enumerate(result["size"].values):
            at = {"contender": name, "size": size}
            colour = colours(0.35 + 0.6 * i / max(1, result.sizes["size"] - 1))
            ax.plot(
                runs.sel(at), score.sel(at), marker=".", color=colour, label=f"{label}, {int(size)} sites"
            )
    ax.set_xscale("log")
    ax.set_xlabel("runs of the model for each site")
    name = result.attrs["score"]
    ax.set_ylabel(f"{name.upper()} in the test period ({result[name].attrs['units']})")
    ax.legend(frameon=False, fontsize="x-small", ncols=2)
    return ax
