"""The result of `coherence` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import tables
from xdpl.experiments.coherence import CAUTION
from xdpl.experiments.names import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "table"]

# Variable and head of its column.
_COLUMNS = {
    "morans_i": "Moran's I",
    "nugget_fraction": "nugget",
    "at_bounds": "at bounds",
    "truth_correlation": "truth",
    "seed_correlation": "seeds",
}
# Against which Moran's I is drawn, the first that is there.
_MEASURES = {
    "truth_correlation": "rank correlation with the truth",
    "seed_correlation": "rank correlation of the maps of two seeds",
    "at_bounds": "fraction of sites at a bound",
}


def table(result: xr.Dataset) -> str:
    """Means over seeds, a row for each parameter; in each column the contenders one beside the other."""
    columns = [name for name in _COLUMNS if name in result]
    names = " and ".join(NAMES[str(name)] for name in result["contender"].values)
    lines = [
        f"maps of {result.attrs['case']}, {result.sizes['seed']} seeds; in each column: {names}",
        "truth, seeds: rank correlation with the known truth, and of maps of two seeds",
        "",
    ]
    rows = [["parameter", *(_COLUMNS[name] for name in columns), ""]]
    for parameter in result["parameter"].values:
        part = result.sel(parameter=parameter)
        rows.append([str(parameter), *(_cell(part[name]) for name in columns), ""])
    if "true_morans_i" in result:
        rows[0].insert(2, "of truth")
        for row, value in zip(rows[1:], result["true_morans_i"].values, strict=True):
            row.insert(2, _number(value))
    lines += tables.text(rows, right=range(1, len(rows[0])))
    return "\n".join([*lines, "", *tables.wrapped(CAUTION)])


def _cell(values: xr.DataArray) -> str:
    """Means of the contenders over seeds or pairs of them."""
    over = [d for d in values.dims if d != "contender"]
    return " ".join(_number(v).rjust(5) for v in values.mean(over).values)


def _number(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "–"


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """Correlation with the truth, else of two seeds: a row for each parameter, means of seeds or pairs."""
    name = next(n for n in _MEASURES if n in result)
    measure = result[name].mean([d for d in result[name].dims if d not in ("contender", "parameter")])
    shown = measure.dropna("parameter", how="all")
    rows = range(shown.sizes["parameter"])
    ax.hlines(rows, 0.0, 1.0, color="0.9", linewidth=0.8, zorder=0)
    for contender in shown["contender"].values:
        ax.plot(shown.sel(contender=contender), rows, "o", label=NAMES[str(contender)])
    ax.set_yticks(rows, [str(v).replace("_", " ") for v in shown["parameter"].values], fontsize="small")
    ax.invert_yaxis()
    ax.set_xlabel(_MEASURES[name])
    # Above, since there is a point in every row.
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, fontsize="small", ncols=2)
    return ax
