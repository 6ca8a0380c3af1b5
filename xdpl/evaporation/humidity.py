"""Vapour pressure, air pressure and the constants that follow from them (FAO-56, chapter 3)."""

from __future__ import annotations

from typing import Any

import array_api_compat

__all__ = [
    "SEA_LEVEL_PRESSURE",
    "latent_heat_of_vaporisation",
    "pressure_from_elevation",
    "psychrometric_constant",
    "saturation_slope",
    "saturation_vapour_pressure",
    "vapour_pressure_from_specific_humidity",
]

Array = Any

SEA_LEVEL_PRESSURE = 101.3
"""Pressure of the standard atmosphere at sea level in kPa, as FAO-56 rounds it."""

_MOLECULAR_RATIO = 0.622  # water vapour to dry air


def saturation_vapour_pressure(temperature: Array) -> Array:
    """Saturation vapour pressure over water in kPa (FAO-56 eq. 11).

    Parameters
    ----------
    temperature : array
        Air temperature in degC; at the dew point this is the actual vapour
        pressure (FAO-56 eq. 14).
    """
    xp = array_api_compat.array_namespace(temperature)
    return 0.6108 * xp.exp(17.27 * temperature / (temperature + 237.3))


def saturation_slope(temperature: Array) -> Array:
    """Slope of the saturation vapour pressure curve in kPa degC-1 (FAO-56 eq. 13).

    Parameters
    ----------
    temperature : array
        Air temperature in degC.
    """
    return 4098.0 * saturation_vapour_pressure(temperature) / (temperature + 237.3) ** 2


def vapour_pressure_from_specific_humidity(specific_humidity: Array, pressure: Array | float) -> Array:
    """Actual vapour pressure in kPa: e = q p / (0.622 + 0.378 q).

    Parameters
    ----------
    specific_humidity : array
        Mass of vapour per mass of moist air, in 1.
    pressure : array or float
        Air pressure in kPa.

    Notes
    -----
    The definition q = 0.622 e / (p - 0.378 e), solved for e.
    """
    return specific_humidity * pressure / (_MOLECULAR_RATIO + (1.0 - _MOLECULAR_RATIO) * specific_humidity)


def psychrometric_constant(pressure: Array | float) -> Array | float:
    """Psychrometric constant in kPa degC-1, for a latent heat of 2.45 MJ kg-1 (FAO-56 eq. 8).

    Parameters
    ----------
    pressure : array or float
        Air pressure in kPa.
    """
    return 0.665e-3 * pressure


def pressure_from_elevation(elevation: Array) -> Array:
    """Air pressure of the standard atmosphere in kPa (FAO-56 eq. 7).

    Parameters
    ----------
    elevation : array
        Height above sea level in m.
    """
    return SEA_LEVEL_PRESSURE * ((293.0 - 0.0065 * elevation) / 293.0) ** 5.26


def latent_heat_of_vaporisation(temperature: Array) -> Array:
    """Latent heat of vaporisation of water in MJ kg-1 (FAO-56 annex 3, eq. 3-1).

    Parameters
    ----------
    temperature : array
        Air temperature in degC.
    """
    return 2.501 - 2.361e-3 * temperature
