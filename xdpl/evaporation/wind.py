"""Wind speed at the height that FAO-56 wants."""

from __future__ import annotations

import math
from typing import Any

from xdpl.evaporation.safe import safe_sqrt

__all__ = ["wind_at_two_metres", "wind_speed"]

Array = Any


def wind_speed(eastward: Array, northward: Array) -> Array:
    """Speed of the wind in m s-1; its gradient is 0 in a calm.

    Parameters
    ----------
    eastward, northward : array
        Components of the wind in m s-1.
    """
    return safe_sqrt(eastward**2 + northward**2)


def wind_at_two_metres(speed: Array, height: float = 10.0) -> Array:
    """Wind speed at 2 m in m s-1, by the logarithmic profile over short grass (FAO-56 eq. 47).

    Parameters
    ----------
    speed : array
        Wind speed at `height` in m s-1.
    height : float
        Height of the measurement above ground in m.

    Raises
    ------
    ValueError
        If the height is not above 0.0947 m, where the profile starts.
    """
    above = 67.8 * height - 5.42
    if above <= 1.0:
        msg = f"height: expected more than {6.42 / 67.8:.4f} m, got {height}; fix: give the height in m"
        raise ValueError(msg)
    return speed * (4.87 / math.log(above))
