"""The result of `perturbation` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import tables
from xdpl.experiments.names import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "errors", "medians", "table"]


def medians(result: xr.Dataset) -> xr.Dataset:
    """Mean over changes, median over sites, of every response: (contender, seed)."""
    return _over_sites(_over_changes(result))


def errors(result: xr.Dataset) -> xr.Dataset:
    """Median over sites of the absolute difference from the truth, (contender, seed); NaN without one."""
    responses = _over_changes(result)
    if "truth" not in result["contender"].values:
        return _over_sites(responses) * np.nan
    return _over_sites(abs(responses - responses.sel(contender="truth", drop=True)))


def _over_changes(result: xr.Dataset) -> xr.Dataset:
    return result.mean([d for d in result.dims if str(d).endswith("_change")], keep_attrs=True)


def _over_sites(result: xr.Dataset) -> xr.Dataset:
    return result.median([d for d in result.dims if d not in ("contender", "seed")], keep_attrs=True)


def table(result: xr.Dataset) -> str:
    """A block for each response: its median over sites, and the median error, mean ± deviation of seeds."""
    responses, apart = medians(result), errors(result)
    head = f"{result.attrs['case']}, test period, median of sites; {_changes(result)}"
    lines = [head, "response: relative change of the mean over the change of the forcing"]
    for name in responses.data_vars:
        unit = result[name].attrs["units"]
        lines += ["", f"{str(name).replace('_', ' ')} ({unit})"]
        rows = [["", "response", "error against the truth", ""]]
        for contender in result["contender"].values:
            cells = [_cell(v[name].sel(contender=contender).values) for v in (responses, apart)]
            rows.append([NAMES[str(contender)], cells[0], "" if contender == "truth" else cells[1], ""])
        lines += tables.text(rows, right=(1, 2))
    return "\n".join(lines)


def _changes(result: xr.Dataset) -> str:
    said = []
    for dim in (str(d) for d in result.dims if str(d).endswith("_change")):
        steps, unit = result[dim].values, result[dim].attrs.get("units", "1")
        listed = ", ".join(f"{100 * s:+g} %" if unit == "1" else f"{s:+g} {unit}" for s in steps)
        said.append(f"{dim.removesuffix('_change').replace('_', ' ')} {listed}")
    return "; ".join(said)


def _cell(values: np.ndarray) -> str:
    if not np.isfinite(values).all():
        return "–"
    mean = f"{values.mean():.4f}"
    return f"{mean} ± {values.std():.4f}" if values.std() > 0.0 else mean


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """Error of every response over that of the uncalibrated model; without a truth, the responses."""
    known = "truth" in result["contender"].values
    found = errors(result) / errors(result).sel(contender="uncalibrated") if known else medians(result)
    names = [str(n) for n in result["contender"].values if not (known and n in ("truth", "uncalibrated"))]
    for i, name in enumerate(names):
        place = np.arange(len(found.data_vars)) + 0.5 * (i - 0.5 * (len(names) - 1)) / len(names)
        values = np.stack([v.sel(contender=name).values for v in found.data_vars.values()])
        (line,) = ax.plot(place, values.mean(axis=1), "_", markersize=14, label=NAMES[name])
        ax.plot(place, values, ".", color=line.get_color(), markersize=4)
    ax.axhline(1.0 if known else 0.0, color="0.6", linewidth=0.8)
    # On lines of their own, so that neighbours do not run into each other.
    labels = [str(v).replace("_to_", "\nto\n").replace("_", " ") for v in found.data_vars]
    ax.set_xticks(range(len(labels)), labels, fontsize="x-small")
    ax.set_ylabel("error over that of the uncalibrated model" if known else "response")
    if known:
        ax.set_yscale("log")
        ticks = (0.1, 0.2, 0.5, 1, 2, 5, 10)
        ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
    ax.legend(frameon=False, fontsize="small", ncols=3, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return ax
