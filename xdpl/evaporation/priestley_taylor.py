"""Priestley-Taylor: potential evapotranspiration from available energy."""

from __future__ import annotations

from typing import Any

import array_api_compat

from xdpl.evaporation.humidity import latent_heat_of_vaporisation, psychrometric_constant, saturation_slope
from xdpl.models.numerics import positive

__all__ = ["priestley_taylor"]

Array = Any


def priestley_taylor(
    temperature: Array,
    net_radiation: Array,
    pressure: Array | float,
    *,
    soil_heat: Array | float = 0.0,
    alpha: float = 1.26,
    latent_heat: Array | float | None = None,
) -> Array:
    """Potential evapotranspiration in mm d-1; negative values are set to zero.

    Parameters
    ----------
    temperature : array
        Daily mean air temperature in degC.
    net_radiation : array
        Net downward radiation at the surface in MJ m-2 d-1.
    pressure : array or float
        Air pressure in kPa.
    soil_heat : array or float
        Heat flux into the soil in MJ m-2 d-1; about zero over a day.
    alpha : float
        Ratio to equilibrium evaporation, in 1.
    latent_heat : array or float, optional
        Latent heat of vaporisation in MJ kg-1; at the air temperature if None.

    Notes
    -----
    PE = alpha Delta / (Delta + gamma) (Rn - G) / lambda.

    References
    ----------
    Priestley and Taylor (1972), doi:10.1175/1520-0493(1972)100<0081:OTAOSH>2.3.CO;2.
    """
    xp = array_api_compat.array_namespace(temperature, net_radiation)
    slope = saturation_slope(temperature)
    weight = slope / (slope + psychrometric_constant(pressure))
    if latent_heat is None:
        latent_heat = latent_heat_of_vaporisation(temperature)
    return positive(xp, alpha * weight * (net_radiation - soil_heat) / latent_heat)
