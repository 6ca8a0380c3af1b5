"""Net radiation of a grass surface from measured or modelled downward fluxes."""

from __future__ import annotations

from typing import Any

__all__ = ["ALBEDO", "megajoules_per_day", "net_radiation"]

Array = Any

ALBEDO = 0.23
"""Albedo of the FAO-56 reference grass, in 1."""

_STEFAN_BOLTZMANN = 5.670374419e-8  # W m-2 K-4, CODATA 2018
_SECONDS_PER_DAY = 86400.0


def megajoules_per_day(flux: Array) -> Array:
    """Convert a daily mean flux in W m-2 to a daily sum in MJ m-2 d-1."""
    return flux * (_SECONDS_PER_DAY * 1e-6)


def net_radiation(
    shortwave: Array, longwave: Array, temperature: Array, *, albedo: float = ALBEDO, emissivity: float = 1.0
) -> Array:
    """Net downward radiation at the surface in W m-2.

    Parameters
    ----------
    shortwave, longwave : array
        Downward shortwave and longwave radiation at the surface in W m-2.
    temperature : array
        Air temperature in degC, taken as the temperature of the surface.
    albedo, emissivity : float
        Of the surface, in 1.

    Notes
    -----
    Rn = (1 - albedo) S + emissivity (L - sigma T^4), with T in K; negative
    when the surface loses more than it takes.

    References
    ----------
    Allen et al. (1998), FAO Irrigation and Drainage Paper 56, eqs 38 and 40 (shortwave);
    Stefan-Boltzmann law (outgoing longwave).
    """
    emitted = _STEFAN_BOLTZMANN * (temperature + 273.15) ** 4
    return (1.0 - albedo) * shortwave + emissivity * (longwave - emitted)
