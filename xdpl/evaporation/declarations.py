"""Variables that the methods take, and what may stand in for what."""

from __future__ import annotations

from xdpl.models.base import Forcing
from xdpl.models.weather import AIR_TEMPERATURE as MEAN
from xdpl.models.weather import AIR_TEMPERATURE_MAX as MAXIMUM
from xdpl.models.weather import AIR_TEMPERATURE_MIN as MINIMUM

__all__ = ["Alternatives"]

Alternatives = tuple[tuple[Forcing, ...], ...]
"""Sets of variables of which the first one found is used; an empty set is always found."""

SHORTWAVE = Forcing(
    "surface_downwelling_shortwave_flux_in_air",
    "W m-2",
    "surface_downwelling_shortwave_flux_in_air",
    "downward shortwave radiation",
)
LONGWAVE = Forcing(
    "surface_downwelling_longwave_flux_in_air",
    "W m-2",
    "surface_downwelling_longwave_flux_in_air",
    "downward longwave radiation",
)
PRESSURE = Forcing("surface_air_pressure", "kPa", "surface_air_pressure", "air pressure at the surface")
ELEVATION = Forcing("surface_altitude", "m", "surface_altitude", "height of the surface above sea level")
SPECIFIC = Forcing("specific_humidity", "1", "specific_humidity", "specific humidity")
RELATIVE = Forcing("relative_humidity", "1", "relative_humidity", "relative humidity")
DEW_POINT = Forcing("dew_point_temperature", "degC", "dew_point_temperature", "dew point")
VAPOUR = Forcing(
    "water_vapor_partial_pressure_in_air",
    "kPa",
    "water_vapor_partial_pressure_in_air",
    "actual vapour pressure",
)
WIND = Forcing("wind_speed", "m s-1", "wind_speed", "wind speed at 10 m")
EASTWARD = Forcing("eastward_wind", "m s-1", "eastward_wind", "eastward wind at 10 m")
NORTHWARD = Forcing("northward_wind", "m s-1", "northward_wind", "northward wind at 10 m")

TEMPERATURE: Alternatives = ((MEAN,), (MINIMUM, MAXIMUM))
RANGE: Alternatives = ((MINIMUM, MAXIMUM),)
RADIATION: Alternatives = ((SHORTWAVE, LONGWAVE),)
AIR_PRESSURE: Alternatives = ((PRESSURE,), (ELEVATION,), ())
HUMIDITY: Alternatives = ((SPECIFIC,), (RELATIVE,), (DEW_POINT,), (VAPOUR,))
TEN_METRE_WIND: Alternatives = ((WIND,), (EASTWARD, NORTHWARD))
OPTIONAL_RANGE: Alternatives = ((MINIMUM, MAXIMUM), ())
