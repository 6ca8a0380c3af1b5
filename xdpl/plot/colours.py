"""Colour scales of maps: of metrics, what is known of them; of others, their range."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xdpl.evaluation.declared import FLOW_METRICS, METRICS, Metric

__all__ = ["WORST", "colours", "metric"]

# Where the axes of efficiencies and correlations end; below, a simulation is of little use anyway.
WORST = -0.2
# Least share of the sites inside the colour scale of an error: a few sites would hide all others.
_INSIDE = 0.9


def metric(name: Any) -> Metric | None:
    """The metric of a name, if there is one."""
    return next((m for m in (*METRICS, *FLOW_METRICS) if m.name == name), None)


def colours(name: Any, values: np.ndarray) -> tuple[dict[str, Any], str]:
    """Colour map and limits, and at which ends of the colour bar there are values beyond.

    Parameters
    ----------
    name : hashable
        Of the variable: metrics are known by it, a signed one is centred on zero.
    values : ndarray
    """
    known = metric(name)
    finite = values[np.isfinite(values)]
    if known is None or not finite.size:
        return {}, "neither"
    if known.best == "high":
        low, high = WORST, 1.0
        options: dict[str, Any] = {"cmap": "viridis"}
    else:
        high = _rounded_up(float(np.quantile(np.abs(finite), _INSIDE, method="higher")) or 1.0)
        low, options = (-high, {"cmap": "RdBu"}) if known.best == "zero" else (0.0, {"cmap": "viridis_r"})
    ends = (bool((finite < low).any()), bool((finite > high).any()))
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(ends, "neither")
    return {**options, "vmin": low, "vmax": high}, extend


def _rounded_up(value: float) -> float:
    """To two digits, as legends say it."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    # Rounding of 50 is not more than 50.
    return float(f"{math.ceil(value / unit - 1e-6) * unit:.2g}")
