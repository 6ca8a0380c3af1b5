"""Potential evapotranspiration as array-API functions in declared units."""

from xdpl.evaporation.hargreaves import hargreaves
from xdpl.evaporation.humidity import (
    latent_heat_of_vaporisation,
    pressure_from_elevation,
    psychrometric_constant,
    saturation_slope,
    saturation_vapour_pressure,
    vapour_pressure_from_specific_humidity,
)
from xdpl.evaporation.oudin import oudin
from xdpl.evaporation.penman_monteith import penman_monteith
from xdpl.evaporation.priestley_taylor import priestley_taylor
from xdpl.evaporation.radiation import megajoules_per_day, net_radiation
from xdpl.evaporation.solar import (
    extraterrestrial_radiation,
    inverse_relative_distance,
    solar_declination,
    sunset_hour_angle,
)
from xdpl.evaporation.wind import wind_at_two_metres, wind_speed

__all__ = [
    "extraterrestrial_radiation",
    "hargreaves",
    "inverse_relative_distance",
    "latent_heat_of_vaporisation",
    "megajoules_per_day",
    "net_radiation",
    "oudin",
    "penman_monteith",
    "pressure_from_elevation",
    "priestley_taylor",
    "psychrometric_constant",
    "saturation_slope",
    "saturation_vapour_pressure",
    "solar_declination",
    "sunset_hour_angle",
    "vapour_pressure_from_specific_humidity",
    "wind_at_two_metres",
    "wind_speed",
]
