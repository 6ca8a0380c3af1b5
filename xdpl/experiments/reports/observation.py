"""The result of `observation` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw", "medians", "table"]


def medians(result: xr.Dataset) -> xr.Dataset:
    """Median over sites of errors, and over parameters of correlations with the truth; (operator, seed)."""
    names = ["training_rmse", "transfer_rmse", "uncalibrated_rmse", "operator_rmse", "truth_correlation"]
    found = result[[name for name in names if name in result]]
    return found.median([d for d in found.dims if d not in ("operator", "seed")])


def table(result: xr.Dataset) -> str:
    """A row for each operator: mean and standard deviation of seeds."""
    found = medians(result)
    known = "truth_correlation" in found
    unbiased = "without bias" if "truth" in result.attrs else "themselves"
    units = result["training_rmse"].attrs["units"]
    head = ["", "correlation"] if known else [""]
    rows = [[*head, "training", "transfer", "ratio", "FAIL", "affine share", ""]]
    for name in result["operator"].values:
        part, own = found.sel(operator=name), result.sel(operator=name)
        columns = ["truth_correlation"] * known + ["training_rmse", "transfer_rmse"]
        cells = [_cell(part[c].values, 2 if c == "truth_correlation" else 4) for c in columns]
        fails = int(own["failed"].sum())
        tested = bool(own["ratio"].notnull().all())
        rest = [_cell(own["ratio"].values, 2), f"{fails} of {own.sizes['seed']}" if tested else "–"]
        rows.append([str(name), *cells, *rest, _cell(own["affine_share"].values, 2), ""])
    lines = [
        f"{result.attrs['case']}, parameter learning through observation operators",
        f"training period, median of sites, {result.attrs['target']} ({units})",
        "training: RMSE through the operator; transfer: of the model itself, against the observations "
        f"{unbiased}",
        f"uncalibrated: {_cell(found['uncalibrated_rmse'].isel(operator=-1).values, 4)}",
    ]
    if known:
        lines.insert(
            2, f"correlation: of ranks with the truth, median of {result.sizes['parameter']} parameters"
        )
    return "\n".join([*lines, "", *tables.text(rows, right=range(1, len(rows[0])))])


def _cell(values: np.ndarray, digits: int) -> str:
    mean = float(np.mean(values))
    if not np.isfinite(mean):
        return "–"
    text = f"{mean:.{digits}f}"
    return f"{text} ± {np.std(values):.{digits}f}" if len(values) > 1 else text


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """A row for each operator: training score and transfer error, medians of sites, of every seed."""
    found = medians(result)
    rows = np.arange(result.sizes["operator"])[:, None] + 0 * found["transfer_rmse"].values
    score, error = (found[k].transpose("operator", "seed").values for k in ("training_rmse", "transfer_rmse"))
    ax.plot(score.ravel(), rows.ravel(), "o", color="C0", mfc="none", label="through the operator")
    ax.plot(error.ravel(), rows.ravel(), "o", color="C1", label="of the model itself")
    ax.plot(1.3 * score.ravel(), rows.ravel(), "|", color="0.4", markersize=11, label="1.3 times the former")
    ax.set_yticks(rows[:, 0], [str(v) for v in result["operator"].values])
    ax.invert_yaxis()
    ax.set_xlabel(f"RMSE ({result['training_rmse'].attrs['units']})")
    ax.legend(frameon=False, fontsize="small", loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3)
    return ax
