"""Forcings that several models share."""

from __future__ import annotations

from xdpl.models.base import Forcing

__all__ = ["AIR_TEMPERATURE", "POTENTIAL_EVAPOTRANSPIRATION", "PRECIPITATION"]

PRECIPITATION = Forcing("precipitation", "mm d-1", "lwe_precipitation_rate", "precipitation")
AIR_TEMPERATURE = Forcing("air_temperature", "degC", "air_temperature", "air temperature at 2 m")
POTENTIAL_EVAPOTRANSPIRATION = Forcing(
    "potential_evapotranspiration",
    "mm d-1",
    "water_potential_evapotranspiration_flux",
    "potential evapotranspiration",
)
