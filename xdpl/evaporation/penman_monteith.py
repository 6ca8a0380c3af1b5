"""FAO-56 Penman-Monteith: evapotranspiration of a well-watered reference grass."""

from __future__ import annotations

from typing import Any

import array_api_compat

from xdpl.evaporation.humidity import psychrometric_constant, saturation_slope
from xdpl.models.numerics import positive

__all__ = ["penman_monteith"]

Array = Any


def penman_monteith(
    temperature: Array,
    net_radiation: Array,
    wind: Array,
    saturation: Array,
    actual: Array,
    pressure: Array | float,
    *,
    soil_heat: Array | float = 0.0,
) -> Array:
    """Evapotranspiration of the reference grass in mm d-1; negative values are set to zero.

    Parameters
    ----------
    temperature : array
        Daily mean air temperature at 2 m in degC.
    net_radiation : array
        Net downward radiation at the surface in MJ m-2 d-1.
    wind : array
        Wind speed at 2 m in m s-1.
    saturation, actual : array
        Saturation and actual vapour pressure in kPa.
    pressure : array or float
        Air pressure in kPa.
    soil_heat : array or float
        Heat flux into the soil in MJ m-2 d-1; about zero over a day.

    Notes
    -----
    ET0 = (0.408 Delta (Rn - G) + gamma 900 / (T + 273) u2 (es - ea)) / (Delta + gamma (1 + 0.34 u2)).

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, eq. 6.
    """
    xp = array_api_compat.array_namespace(temperature, net_radiation, wind, saturation, actual)
    slope = saturation_slope(temperature)
    gamma = psychrometric_constant(pressure)
    energy = 0.408 * slope * (net_radiation - soil_heat)
    drying = gamma * 900.0 / (temperature + 273.0) * wind * (saturation - actual)
    return positive(xp, (energy + drying) / (slope + gamma * (1.0 + 0.34 * wind)))
