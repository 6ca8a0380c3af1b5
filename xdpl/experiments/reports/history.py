"""The result of `history` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import tables
from xdpl.experiments.names import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "table"]

_QUESTIONS = {
    "trained": "sites of the training",
    "measured": "other sites, measured before",
    "ungauged": "other sites, never measured",
}


def table(result: xr.Dataset) -> str:
    """Median over sites of the score, mean and standard deviation of seeds, a row for each question."""
    score = _medians(result)
    names = [str(name) for name in score["contender"].values]
    rows = [["", *(NAMES[name] for name in names), ""]]
    for question, said in _QUESTIONS.items():
        cells = [score.sel(contender=name, question=question) for name in names]
        rows.append([said, *(f"{float(v.mean()):.4f} ± {float(v.std()):.4f}" for v in cells), ""])
    units = result[result.attrs["score"]].attrs["units"]
    said = f"{result.attrs['score']} of {result.attrs['target']}" + ("" if units == "1" else f" ({units})")
    return "\n".join([f"median {said}, test period", *tables.text(rows, right=(1, 2))])


def _medians(result: xr.Dataset) -> xr.DataArray:
    score = result[result.attrs["score"]]
    return score.median([d for d in score.dims if d not in ("contender", "question", "seed")])


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """The medians of every seed as points, their means as lines, a group for each question."""
    score = _medians(result)
    for i, name in enumerate(score["contender"].values):
        found = score.sel(contender=name)
        place = np.arange(len(_QUESTIONS)) + 0.2 * (i - 0.5)
        (line,) = ax.plot(place, found.mean("seed"), "_", markersize=14, label=NAMES[str(name)])
        ax.plot(place, found.transpose("question", "seed"), ".", color=line.get_color(), markersize=4)
    labels = [said.replace(", ", ",\n") for said in _QUESTIONS.values()]
    ax.set_xticks(range(len(labels)), labels, fontsize="small")
    ax.set_ylabel(f"median {result.attrs['score']}")
    ax.legend(frameon=False, fontsize="small")
    return ax
