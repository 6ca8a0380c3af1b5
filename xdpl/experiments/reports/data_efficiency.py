"""The result of `data_efficiency` as a table and as a picture."""

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
    """By how much learning is better than a network alone, and where that ends."""
    name, gain = result.attrs["score"], result["advantage"]
    head = ["days", *(f"{int(n)} sites" for n in result["size"]), "network as good at", ""]
    rows = [head]
    for i in range(result.sizes["days"]):
        part = result.isel(days=i)
        cells = [
            f"{a:+.4f} ({low:+.4f} to {high:+.4f})"
            for a, low, high in zip(*(part[k].values for k in _GAINS), strict=True)
        ]
        ends = [_sites(float(part[k])) for k in ("crossover", "crossover_low", "crossover_high")]
        rows.append([str(int(part["days"])), *cells, f"{ends[0]} ({ends[1]} to {ends[2]})", ""])
    lines = [f"median {name} ({gain.attrs['units']}): parameter learning better than an LSTM alone by"]
    lines += tables.text(rows, right=range(len(head)))
    lines += ["in brackets 90 % intervals, held-out sites and seeds resampled", ""]
    extremes = result["extreme_bias"]
    sites = [d for d in extremes.dims if d not in ("contender", "days", "size", "seed")]
    longest = extremes.isel(days=-1).median(sites).mean("seed")
    lines.append(
        f"relative bias on days above the training range, {int(result['days'][-1])} days of training"
    )
    rows = [["", *head[1:-2], ""]]
    for contender in ("dpl", "lstm"):
        values = longest.sel(contender=contender).values
        rows.append([NAMES[contender], *(f"{v:+.3f}" for v in values), ""])
    lines += tables.text(rows, right=range(1, len(rows[0])))
    return "\n".join(lines)


_GAINS = ("advantage", "advantage_low", "advantage_high")


def _sites(count: float) -> str:
    return f"{count:.0f} sites" if np.isfinite(count) else "none of these"


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """The advantage against the number of training sites, a line for each length of the training period."""
    ax.axhline(0.0, color="0.6", linewidth=0.8, zorder=0)
    sizes = result["size"].values
    for i in range(result.sizes["days"]):
        part = result.isel(days=i)
        (line,) = ax.plot(sizes, part["advantage"], marker=".", label=f"{int(part['days'])} days")
        ax.fill_between(
            sizes,
            part["advantage_low"],
            part["advantage_high"],
            color=line.get_color(),
            alpha=0.15,
            linewidth=0,
        )
    ax.set_xscale("log")
    ax.set_xticks(sizes, [str(int(n)) for n in sizes])
    ax.minorticks_off()
    ax.set_xlabel("training sites")
    name, scale = result.attrs["score"].upper(), result["advantage"].attrs["units"]
    ax.set_ylabel(f"{name} by which learning is better ({scale})")
    ax.legend(frameon=False, fontsize="small")
    return ax
