"""Water balance of sites between the limits of energy and water."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.plot.inputs import axes_or_new, beyond, values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["budyko"]

_POINTS: dict[str, dict[str, Any]] = {
    "observed_evaporative_index": {"label": "observed, (P − Q) / P", "color": "0.4", "marker": "o"},
    "evaporative_index": {"label": "simulated, E / P", "color": "C0", "marker": "^"},
}
_TOP = 1.2
# Share of the sites that are inside of the axes: a few deserts would take all of them.
_INSIDE = 0.98


def budyko(balance: xr.Dataset, *, ax: Axes | None = None) -> Axes:
    """Evaporative index of sites over their aridity, with the curve of Budyko and both limits.

    Parameters
    ----------
    balance : Dataset
        As `xdpl.evaluation.water_balance` returns: ``aridity_index`` and ``evaporative_index``,
        ``observed_evaporative_index`` or both; other dims (a member) are further points.
    ax : Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes
        The legend says which share of the sites is outside of the axes: the driest 2 % and those
        with a negative index.

    Raises
    ------
    InputErrors
        If variables are missing or there is no site with values.

    Notes
    -----
    The curve is E/P = sqrt(φ tanh(1/φ) (1 - exp(-φ))) of the aridity index φ (Budyko 1974). More
    cannot evaporate than energy allows, E/P = φ, nor than there is water, E/P = 1.
    """
    problems = Problems("plot")
    shown = _shown(balance, problems)
    highest = max(float(np.quantile(x, _INSIDE)) for x, _ in shown.values())
    right = max(2.0, math.ceil(10.0 * highest) / 10.0)
    ax = axes_or_new(ax)
    aridity = np.linspace(1e-3, right, 500)
    ax.plot(
        [0.0, 1.0, right], [0.0, 1.0, 1.0], "--", color="0.5", linewidth=1, label="energy and water limits"
    )
    ax.plot(aridity, _curve(aridity), color="0.1", linewidth=1.2, label="Budyko (1974)")
    for name, (x, y) in shown.items():
        options = dict(_POINTS[name])
        outside = beyond(x, 0.0, right, "PET / P"), beyond(y, 0.0, _TOP, "E / P")
        options["label"] = "\n".join([options["label"], *filter(None, outside)])
        ax.scatter(x, y, s=10, linewidths=0, alpha=0.7, **options)
    ax.set_xlim(0.0, right)
    ax.set_ylim(0.0, _TOP)
    ax.set_xlabel("aridity index, PET / P (1)")
    ax.set_ylabel("evaporative index, E / P (1)")
    ax.legend(frameon=False, fontsize="small")
    return ax


def _curve(aridity: np.ndarray) -> np.ndarray:
    return np.sqrt(aridity * np.tanh(1.0 / aridity) * (1.0 - np.exp(-aridity)))


def _shown(balance: xr.Dataset, problems: Problems) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Aridity and evaporative index of the sites that have both."""
    fix = "balance = xdpl.evaluation.water_balance(ds, ...)"
    indices = [name for name in _POINTS if name in balance]
    if "aridity_index" not in balance or not indices:
        got = ", ".join(map(str, balance.data_vars)) or "none"
        expected = f"aridity_index, and {' or '.join(_POINTS)}"
        problems.add("balance", expected=expected, got=got, fix=f"{fix} with simulated or target")
        problems.raise_all()
    shown = {}
    for name in indices:
        x, y = (values(a).ravel() for a in xr.broadcast(balance["aridity_index"], balance[name]))
        known = np.isfinite(x) & np.isfinite(y)
        if known.any():
            shown[name] = x[known], y[known]
    if not shown:
        problems.add(
            "balance", expected="a site with values", got="none", fix="another period or other sites"
        )
        problems.raise_all()
    return shown
