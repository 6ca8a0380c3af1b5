"""Parameters moved from between their bounds to the whole line, and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from xdpl.models import Parameter

__all__ = ["MARGIN", "bounds_on_scale", "from_line", "to_line"]

Array = Any

# Calibrated values often lie at a bound, which is infinitely far out on the line.
MARGIN = 0.01
# exp of the negative still is a number in double precision; the bound is reached long before.
_FARTHEST = 500.0


def bounds_on_scale(p: Parameter) -> tuple[float, float]:
    """Bounds of a parameter, or their logarithms if it is spanned logarithmically."""
    if p.scale == "log":
        return math.log(p.lower), math.log(p.upper)
    return p.lower, p.upper


def to_line(p: Parameter, values: np.ndarray) -> np.ndarray:
    """Logarithm of the odds, log(s / (1 - s)), of the place s of values between their bounds.

    Parameters
    ----------
    p : Parameter
        With a log scale, s is that of logarithms.
    values : ndarray
        In declared units. Nearer to a bound than `MARGIN` of the range, they are taken as
        that far from it.
    """
    lower, upper = bounds_on_scale(p)
    scaled = np.log(values) if p.scale == "log" else values
    share = np.clip((scaled - lower) / (upper - lower), MARGIN, 1.0 - MARGIN)
    return np.asarray(np.log(share / (1.0 - share)))


def from_line(xp: Any, p: Parameter, odds: Array) -> Array:
    """Values in their bounds, from logarithms of the odds; of any array namespace."""
    lower, upper = bounds_on_scale(p)
    share = 1.0 / (1.0 + xp.exp(-xp.clip(odds, -_FARTHEST, _FARTHEST)))
    values = lower + (upper - lower) * share
    if p.scale == "log":
        values = xp.exp(values)
    # exp(log(5000)) may be above 5000.
    return xp.clip(values, p.lower, p.upper)
