"""Position of the sun and radiation at the top of the atmosphere (FAO-56, chapter 3)."""

from __future__ import annotations

import math
from typing import Any

import array_api_compat

__all__ = [
    "extraterrestrial_radiation",
    "inverse_relative_distance",
    "solar_declination",
    "sunset_hour_angle",
]

Array = Any

_SOLAR_CONSTANT = 0.0820  # MJ m-2 min-1
_MINUTES_PER_DAY = 24.0 * 60.0
_RADIANS = math.pi / 180.0


def inverse_relative_distance(day_of_year: Array) -> Array:
    """Inverse relative distance between earth and sun (FAO-56 eq. 23).

    Parameters
    ----------
    day_of_year : array of floating type
        1 on January 1, up to 366.

    Returns
    -------
    array
        In 1, of the shape of `day_of_year`.
    """
    xp = array_api_compat.array_namespace(day_of_year)
    return 1.0 + 0.033 * xp.cos(2.0 * math.pi / 365.0 * day_of_year)


def solar_declination(day_of_year: Array) -> Array:
    """Solar declination in radians, positive in northern summer (FAO-56 eq. 24).

    Parameters
    ----------
    day_of_year : array of floating type
        1 on January 1, up to 366.
    """
    xp = array_api_compat.array_namespace(day_of_year)
    return 0.409 * xp.sin(2.0 * math.pi / 365.0 * day_of_year - 1.39)


def sunset_hour_angle(latitude: Array, declination: Array) -> Array:
    """Hour angle of sunset in radians: 0 in polar night, pi in polar day (FAO-56 eq. 25).

    Parameters
    ----------
    latitude : array of floating type
        Degrees, positive north.
    declination : array of floating type
        Solar declination in radians; broadcasts with `latitude`.
    """
    xp = array_api_compat.array_namespace(latitude, declination)
    phi = latitude * _RADIANS
    # The cosine of 90 degrees is slightly negative in single precision.
    cosines = xp.clip(xp.cos(phi) * xp.cos(declination), min=1e-9)
    cosine = -xp.sin(phi) * xp.sin(declination) / cosines
    # The gradient of arccos is infinite at -1 and 1: take it only inside.
    rises = xp.abs(cosine) < 1.0
    angle = xp.acos(xp.where(rises, cosine, 0.0 * cosine))
    return xp.where(rises, angle, 0.5 * math.pi * (1.0 - xp.sign(cosine)))


def extraterrestrial_radiation(latitude: Array, day_of_year: Array) -> Array:
    """Daily radiation on a horizontal plane at the top of the atmosphere (FAO-56 eq. 21).

    Parameters
    ----------
    latitude : array of floating type
        Degrees, positive north.
    day_of_year : array of floating type
        1 on January 1, up to 366; broadcasts with `latitude`.

    Returns
    -------
    array
        In MJ m-2 d-1; 0 in polar night.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, eqs 21 and 23-25.
    """
    xp = array_api_compat.array_namespace(latitude, day_of_year)
    declination = solar_declination(day_of_year)
    angle = sunset_hour_angle(latitude, declination)
    phi = latitude * _RADIANS
    upright = xp.cos(phi) * xp.cos(declination) * xp.sin(angle)
    height = angle * (xp.sin(phi) * xp.sin(declination)) + upright
    scale = _MINUTES_PER_DAY * _SOLAR_CONSTANT / math.pi
    return scale * inverse_relative_distance(day_of_year) * height
