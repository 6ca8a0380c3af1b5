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
    """Correlation with the truth, else of two seeds, against Moran's I: a point for each parameter."""
    name = next(n for n in _MEASURES if n in result)
    for contender in result["contender"].values:
        part = result.sel(contender=contender)
        measure = part[name].mean([d for d in part[name].dims if d != "parameter"])
        known = measure.notnull()
        moran = part["morans_i"].mean("seed")
        (line,) = ax.plot(moran[known], measure[known], "o", label=NAMES[str(contender)])
        for parameter in result["parameter"].values[known.values]:
            at = float(moran.sel(parameter=parameter)), float(measure.sel(parameter=parameter))
            ax.annotate(
                str(parameter), at, (4, 3), textcoords="offset points", fontsize=6, color=line.get_color()
            )
    ax.set_xlabel("Moran's I of the map, which a smooth network has whatever it learned")
    ax.set_ylabel(_MEASURES[name])
    # Room for the names.
    ax.margins(x=0.15)
    ax.legend(frameon=False, fontsize="small")
    return ax
