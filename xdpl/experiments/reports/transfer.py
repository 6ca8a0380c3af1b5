"""The result of `transfer` as a table and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from xdpl import tables
from xdpl.experiments.names import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["blocks", "draw", "medians", "outputs_of", "relative_errors", "table"]


def outputs_of(result: xr.Dataset) -> list[str]:
    """What was scored, the target first."""
    return [str(v).removesuffix("_rmse") for v in result.data_vars if str(v).endswith("_rmse")]


def medians(result: xr.Dataset) -> xr.Dataset:
    """Median over sites of every score of every run, and of the absolute value of biases."""
    absolute = {
        f"{output}_absolute_bias": abs(result[f"{output}_relative_bias"]) for output in outputs_of(result)
    }
    result = result.assign(absolute)
    found = result.median([d for d in result.dims if d not in ("contender", "seed")])
    for name, variable in result.data_vars.items():
        found[name].attrs = dict(variable.attrs)
    return found


def table(result: xr.Dataset) -> str:
    """Medians over sites, mean and standard deviation of seeds, a row for each contender."""
    learned_on = result.attrs["learned_on"]
    lines = [
        f"{result.attrs['case']}, test period, median of sites; learned with {learned_on} alone",
        "bias: over the observed mean",
    ]
    return "\n".join([*lines, *blocks(result, outputs_of(result))])


def blocks(result: xr.Dataset, outputs: list[str]) -> list[str]:
    """Lines of a table for each of some outputs."""
    found, lines = medians(result), []
    for output in outputs:
        units = result[f"{output}_rmse"].attrs["units"]
        seen = "learned" if output == result.attrs["learned_on"] else "never observed in training"
        lines += ["", f"{output} ({units}), {seen}"]
        rows = [["", "correlation", "bias", "|bias|", "RMSE", "ubRMSE", "RMSE / calibration", ""]]
        for contender in found["contender"].values:
            part = found.sel(contender=contender)
            cells = [_cell(part[name].values) for name in _columns(output)]
            rows.append([NAMES[str(contender)], *cells, _ratio(found[f"{output}_rmse"], contender), ""])
        lines += tables.text(rows, right=range(1, len(rows[0])))
    return lines


def _columns(output: str) -> list[str]:
    names = ("correlation", "relative_bias", "absolute_bias", "rmse", "ubrmse")
    return [f"{output}_{name}" for name in names]


def _ratio(errors: xr.DataArray, name: str) -> str:
    """Error over that of what was calibrated, if there is such a contender."""
    if "calibrated" not in errors["contender"].values:
        return "–"
    return _cell(relative_errors(errors, "calibrated").sel(contender=name).values)


def relative_errors(errors: xr.DataArray, to: str) -> xr.DataArray:
    """Errors of contenders over those of one of them, seed by seed."""
    return errors / errors.sel(contender=to, drop=True)


def _cell(values: np.ndarray) -> str:
    mean = np.mean(values)
    if not np.isfinite(mean):
        return "–"
    digits = f"{mean:.3f}"
    return f"{digits} ± {np.std(values):.3f}" if len(values) > 1 else digits


def draw(result: xr.Dataset, ax: Axes) -> Axes:
    """Error of every output over that of the uncalibrated model: points for seeds, lines for their means."""
    found, outputs = medians(result), outputs_of(result)
    names = [str(name) for name in found["contender"].values if name != "uncalibrated"]
    for i, name in enumerate(names):
        place = np.arange(len(outputs)) + 0.5 * (i - 0.5 * (len(names) - 1)) / len(names)
        errors = [
            relative_errors(found[f"{output}_rmse"], "uncalibrated").sel(contender=name).values
            for output in outputs
        ]
        (line,) = ax.plot(place, np.mean(errors, axis=1), "_", markersize=14, label=NAMES[name])
        ax.plot(place, errors, ".", color=line.get_color(), markersize=4)
    ax.axhline(1.0, color="0.6", linewidth=0.8)
    ax.set_xticks(range(len(outputs)), [_label(output, result) for output in outputs], fontsize="small")
    ax.set_xlim(-0.5, len(outputs) - 0.5)
    ax.set_ylim(bottom=0.0)
    ax.set_ylabel("RMSE over that of the uncalibrated model")
    ax.legend(frameon=False, fontsize="small")
    return ax


def _label(output: str, result: xr.Dataset) -> str:
    plain = output.replace("_", " ")
    return f"{plain}\n(learned)" if output == result.attrs["learned_on"] else plain
