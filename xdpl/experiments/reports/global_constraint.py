"""The result of `global_constraint` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from xdpl import tables
from xdpl.experiments.names import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "table"]


def table(result: xr.Dataset) -> str:
    """Medians over sites in both periods, mean and standard deviation of seeds."""
    rows = [["", "training", "test", ""]]
    for name in result["contender"].values:
        found = _medians(result.sel(contender=name))
        cells = [f"{float(v.mean()):.4f} ± {float(v.std()):.4f}" for v in (found["train"], found["test"])]
        rows.append([NAMES[str(name)], *cells, ""])
    lines = [f"median {result.attrs['score']} of {result.attrs['target']}"]
    lines += tables.text(rows, right=(1, 2))
    # Of a score that is best at 1, what is missing is the error.
    lower = result.attrs["score"] == "rmse"
    means = {k: _medians(result.sel(contender=k)).mean("seed") for k in ("per-site", "dpl")}
    errors = {k: v if lower else 1.0 - v for k, v in means.items()}
    change = {k: f"{float(errors['dpl'][k] / errors['per-site'][k] - 1.0):+.1%}" for k in ("train", "test")}
    error = "error" if lower else "what is missing to 1"
    lines.append(f"with the network, {error}: training {change['train']}, test {change['test']}")
    return "\n".join(lines)


def _medians(result: xr.Dataset) -> xr.Dataset:
    return result.median([d for d in result["test"].dims if d not in ("contender", "seed")])


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """Score in the test period against that in the training period, medians of every seed."""
    for name in result["contender"].values:
        found = _medians(result.sel(contender=name))
        ax.plot(found["train"], found["test"], "o", label=NAMES[str(name)])
    ax.axline((float(result["train"].median()),) * 2, slope=1.0, color="0.7", linewidth=0.8, zorder=0)
    name = result.attrs["score"].upper()
    ax.set_xlabel(f"{name} of the observations that were fitted")
    ax.set_ylabel(f"{name} in the test period")
    ax.legend(frameon=False, fontsize="small")
    return ax
