"""Oudin: potential evapotranspiration from temperature and the sun alone."""

from __future__ import annotations

from typing import Any

import array_api_compat

from xdpl.models.numerics import positive

__all__ = ["oudin"]

Array = Any


def oudin(temperature: Array, radiation: Array, *, latent_heat: Array | float = 2.45) -> Array:
    """Potential evapotranspiration in mm d-1; negative values are set to zero.

    Parameters
    ----------
    temperature : array
        Daily mean air temperature in degC.
    radiation : array
        Extraterrestrial radiation in MJ m-2 d-1.
    latent_heat : array or float
        Latent heat of vaporisation in MJ kg-1; 2.45 as in the paper.

    Notes
    -----
    PE = Ra (T + 5) / (100 lambda rho), zero at and below -5 degC.

    References
    ----------
    Oudin et al. (2005), doi:10.1016/j.jhydrol.2004.08.026, eq. 3.
    """
    xp = array_api_compat.array_namespace(temperature, radiation)
    return positive(xp, radiation) / latent_heat * positive(xp, temperature + 5.0) / 100.0
