"""Hargreaves-Samani: potential evapotranspiration from the daily range of temperature."""

from __future__ import annotations

from typing import Any

import array_api_compat

from xdpl.evaporation.safe import safe_sqrt
from xdpl.models.numerics import positive

__all__ = ["hargreaves"]

Array = Any


def hargreaves(
    minimum: Array, maximum: Array, radiation: Array, *, latent_heat: Array | float = 2.45
) -> Array:
    """Potential evapotranspiration in mm d-1; negative values are set to zero.

    Parameters
    ----------
    minimum, maximum : array
        Daily minimum and maximum air temperature in degC; a minimum above the
        maximum counts as no range and gives zero.
    radiation : array
        Extraterrestrial radiation in MJ m-2 d-1.
    latent_heat : array or float
        Latent heat of vaporisation in MJ kg-1; 2.45 as in FAO-56 eq. 20.

    Notes
    -----
    ET0 = 0.0023 (T + 17.8) (Tmax - Tmin)^0.5 Ra / lambda, with T = (Tmin + Tmax) / 2.

    References
    ----------
    Hargreaves and Samani (1985), doi:10.13031/2013.26773; Allen et al. (1998), FAO
    Irrigation and Drainage Paper 56, eq. 52.
    """
    xp = array_api_compat.array_namespace(minimum, maximum, radiation)
    mean = 0.5 * (minimum + maximum)
    reach = safe_sqrt(maximum - minimum)
    return positive(xp, 0.0023 * (mean + 17.8) * reach * radiation / latent_heat)
