"""Forcings that several models share."""

from __future__ import annotations

from xdpl.models.base import Forcing

__all__ = [
    "AIR_TEMPERATURE",
    "AIR_TEMPERATURE_MAX",
    "AIR_TEMPERATURE_MIN",
    "POTENTIAL_EVAPOTRANSPIRATION",
    "PRECIPITATION",
]

PRECIPITATION = Forcing(
    "precipitation",
    "mm d-1",
    "lwe_precipitation_rate",
    "precipitation",
    synonyms=("precipitation_flux",),
)
AIR_TEMPERATURE_MIN = Forcing(
    "air_temperature_min", "degC", "air_temperature", "daily minimum air temperature", statistic="minimum"
)
AIR_TEMPERATURE_MAX = Forcing(
    "air_temperature_max", "degC", "air_temperature", "daily maximum air temperature", statistic="maximum"
)
AIR_TEMPERATURE = Forcing(
    "air_temperature",
    "degC",
    "air_temperature",
    "air temperature at 2 m",
    mean_of=(AIR_TEMPERATURE_MIN, AIR_TEMPERATURE_MAX),
)
POTENTIAL_EVAPOTRANSPIRATION = Forcing(
    "potential_evapotranspiration",
    "mm d-1",
    "water_potential_evapotranspiration_flux",
    "potential evapotranspiration",
)
