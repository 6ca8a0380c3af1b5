"""Positions on the globe whose straight distances have the order of great circles."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["unit_vectors"]

Array = Any


def unit_vectors(xp: Any, latitude: Array, longitude: Array) -> Array:
    """Cartesian coordinates (site, 3) on the unit sphere, of positions (site,) in degrees.

    With d the straight distance of two of them, the great-circle distance is 2 R arcsin(d / 2):
    it grows with d, and there is no jump at the date line or the poles.
    """
    north, east = latitude * (math.pi / 180.0), longitude * (math.pi / 180.0)
    level = xp.cos(north)
    return xp.stack([level * xp.cos(east), level * xp.sin(east), xp.sin(north)], axis=1)
