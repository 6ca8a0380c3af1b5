"""The result of `uncertainty` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import tables
from xdpl.experiments.names import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "table"]

_NOMINAL = 0.9
_QUANTITIES = {
    "observed": "observations",
    "target": "truth of the target",
    "others": "truth of others",
    "parameters": "parameters",
}


def table(result: xr.Dataset) -> str:
    """Coverage, mean ± deviation of seeds, a block for each group of sites; then each parameter."""
    lines = [f"{result.attrs['case']}, parameter learning: coverage of intervals of 90 %"]
    for group in result["group"].values:
        part = result["coverage"].sel(group=group)
        rows = [["", *_QUANTITIES.values(), "scale", ""]]
        for name in result["contender"].values:
            own = part.sel(contender=name)
            cells = [_cell(own.sel(quantity=q).values) for q in _QUANTITIES]
            rows.append(
                [NAMES[str(name)], *cells, f"{float(result['scale'].sel(contender=name).mean()):.2f}", ""]
            )
        lines += ["", f"{group} sites", *tables.text(rows, right=range(1, len(rows[0])))]
    return "\n".join([*lines, *_parameters(result)])


def _parameters(result: xr.Dataset) -> list[str]:
    """Of each parameter at held-out sites, for what was tuned."""
    found = result["parameter_coverage"].sel(group="held-out").mean("seed")
    names = [str(n) for n in result["contender"].values if str(n).endswith("-tuned")]
    rows = [["", *(NAMES[n] for n in names), ""]]
    for parameter in found["parameter"].values:
        cells = [f"{float(found.sel(contender=n, parameter=parameter)):.2f}" for n in names]
        rows.append([str(parameter), *cells, ""])
    return ["", "each parameter, held-out sites", *tables.text(rows, right=range(1, len(rows[0])))]


def _cell(values: np.ndarray) -> str:
    if not np.isfinite(values).all():
        return "–"
    return f"{values.mean():.3f} ± {values.std():.3f}" if len(values) > 1 else f"{values.mean():.3f}"


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """Coverage at held-out sites: points for seeds, lines for their means; dashed what is meant to be."""
    found = result["coverage"].sel(group="held-out")
    names = result["contender"].values
    for i, name in enumerate(names):
        place = np.arange(len(_QUANTITIES)) + 0.7 * (i - 0.5 * (len(names) - 1)) / len(names)
        own = found.sel(contender=name).transpose("quantity", "seed")
        (line,) = ax.plot(place, own.mean("seed"), "_", markersize=10, label=NAMES[str(name)])
        ax.plot(place, own, ".", color=line.get_color(), markersize=4)
    ax.axhline(_NOMINAL, color="0.6", linewidth=0.8, linestyle="--")
    ax.set_xticks(range(len(_QUANTITIES)), list(_QUANTITIES.values()), fontsize="small")
    ax.set_ylim(0.0, 1.0)
    ax.set_ylabel("coverage of intervals of 90 %")
    ax.legend(frameon=False, fontsize="small")
    return ax
