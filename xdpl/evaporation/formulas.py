"""The formula of each method, from arrays by declared name; picks among what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import array_api_compat

from xdpl.evaporation.declarations import LONGWAVE, SHORTWAVE, VAPOUR
from xdpl.evaporation.hargreaves import hargreaves
from xdpl.evaporation.humidity import (
    SEA_LEVEL_PRESSURE,
    pressure_from_elevation,
    saturation_vapour_pressure,
    vapour_pressure_from_specific_humidity,
)
from xdpl.evaporation.oudin import oudin
from xdpl.evaporation.penman_monteith import penman_monteith
from xdpl.evaporation.priestley_taylor import priestley_taylor
from xdpl.evaporation.radiation import megajoules_per_day, net_radiation
from xdpl.evaporation.solar import extraterrestrial_radiation
from xdpl.evaporation.wind import wind_at_two_metres, wind_speed

__all__ = ["from_fao56", "from_hargreaves", "from_oudin", "from_priestley_taylor"]

Array = Any
Values = Mapping[str, Array]


def _temperature(v: Values) -> Array:
    mean = v.get("air_temperature")
    return 0.5 * (v["air_temperature_min"] + v["air_temperature_max"]) if mean is None else mean


def _top_of_atmosphere(v: Values, like: Array) -> Array:
    # Angles in double precision whatever the dtype of the temperature.
    radiation = extraterrestrial_radiation(v["latitude"], v["day_of_year"])
    return array_api_compat.array_namespace(radiation).astype(radiation, like.dtype)


def _net_radiation(v: Values) -> Array:
    down = (v[SHORTWAVE.name], v[LONGWAVE.name])
    return megajoules_per_day(net_radiation(*down, _temperature(v)))


def _pressure(v: Values) -> Array | float:
    if "surface_air_pressure" in v:
        return v["surface_air_pressure"]
    return pressure_from_elevation(v["surface_altitude"]) if "surface_altitude" in v else SEA_LEVEL_PRESSURE


def _saturation(v: Values) -> Array:
    if "air_temperature_min" in v:
        night = saturation_vapour_pressure(v["air_temperature_min"])
        return 0.5 * (night + saturation_vapour_pressure(v["air_temperature_max"]))
    return saturation_vapour_pressure(_temperature(v))


def _vapour_pressure(v: Values) -> Array:
    if "specific_humidity" in v:
        return vapour_pressure_from_specific_humidity(v["specific_humidity"], _pressure(v))
    if "relative_humidity" in v:
        return v["relative_humidity"] * _saturation(v)
    if "dew_point_temperature" in v:
        return saturation_vapour_pressure(v["dew_point_temperature"])
    return v[VAPOUR.name]


def _wind(v: Values) -> Array:
    speed = v["wind_speed"] if "wind_speed" in v else wind_speed(v["eastward_wind"], v["northward_wind"])
    return wind_at_two_metres(speed)


def from_oudin(v: Values) -> Array:
    """Oudin evapotranspiration in mm d-1 from arrays in declared units."""
    temperature = _temperature(v)
    return oudin(temperature, _top_of_atmosphere(v, temperature))


def from_hargreaves(v: Values) -> Array:
    """Hargreaves-Samani evapotranspiration in mm d-1 from arrays in declared units."""
    low, high = v["air_temperature_min"], v["air_temperature_max"]
    return hargreaves(low, high, _top_of_atmosphere(v, low))


def from_priestley_taylor(v: Values) -> Array:
    """Priestley-Taylor evapotranspiration in mm d-1 from arrays in declared units."""
    return priestley_taylor(_temperature(v), _net_radiation(v), _pressure(v))


def from_fao56(v: Values) -> Array:
    """FAO-56 Penman-Monteith evapotranspiration in mm d-1 from arrays in declared units."""
    saturation, actual = _saturation(v), _vapour_pressure(v)
    return penman_monteith(_temperature(v), _net_radiation(v), _wind(v), saturation, actual, _pressure(v))
