"""The methods by name: what each takes, its formula over arrays, and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import array_api_compat

from xdpl.evaporation import declarations as declared
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
from xdpl.evaporation.radiation import ALBEDO, megajoules_per_day, net_radiation
from xdpl.evaporation.solar import extraterrestrial_radiation
from xdpl.evaporation.wind import wind_at_two_metres, wind_speed

__all__ = ["METHODS", "Method"]

Array = Any
Values = Mapping[str, Array]


@dataclass(frozen=True)
class Method:
    """A method of potential evapotranspiration.

    Parameters
    ----------
    title : str
        Author and year, for people.
    references : str
    needs : tuple of Alternatives
        The first one gives the dtype and the dim order of the output.
    formula : callable
        From arrays by declared name, in declared units, to mm d-1.
    assumes : str
        What the method takes for granted.
    solar : bool
        Whether it also takes `latitude` (degrees) and `day_of_year`.
    """

    title: str
    references: str
    needs: tuple[declared.Alternatives, ...]
    formula: Callable[[Values], Array]
    assumes: str
    solar: bool = False


def _temperature(v: Values) -> Array:
    mean = v.get("air_temperature")
    return 0.5 * (v["air_temperature_min"] + v["air_temperature_max"]) if mean is None else mean


def _top_of_atmosphere(v: Values, like: Array) -> Array:
    # Angles in double precision whatever the dtype of the temperature.
    radiation = extraterrestrial_radiation(v["latitude"], v["day_of_year"])
    return array_api_compat.array_namespace(radiation).astype(radiation, like.dtype)


def _net_radiation(v: Values) -> Array:
    down = (v[declared.SHORTWAVE.name], v[declared.LONGWAVE.name])
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
    return v[declared.VAPOUR.name]


def _wind(v: Values) -> Array:
    speed = v["wind_speed"] if "wind_speed" in v else wind_speed(v["eastward_wind"], v["northward_wind"])
    return wind_at_two_metres(speed)


def _oudin(v: Values) -> Array:
    temperature = _temperature(v)
    return oudin(temperature, _top_of_atmosphere(v, temperature))


def _hargreaves(v: Values) -> Array:
    low, high = v["air_temperature_min"], v["air_temperature_max"]
    return hargreaves(low, high, _top_of_atmosphere(v, low))


def _priestley_taylor(v: Values) -> Array:
    return priestley_taylor(_temperature(v), _net_radiation(v), _pressure(v))


def _fao56(v: Values) -> Array:
    saturation, actual = _saturation(v), _vapour_pressure(v)
    return penman_monteith(_temperature(v), _net_radiation(v), _wind(v), saturation, actual, _pressure(v))


_NET = (
    f"net radiation with albedo {ALBEDO} and Stefan-Boltzmann outgoing longwave; no heat flux into the soil"
)
_ALLEN = "Allen et al. (1998), FAO Irrigation and Drainage Paper 56"
_SUN = "extraterrestrial radiation by FAO-56 eq. 21; latent heat 2.45 MJ kg-1"

METHODS = {
    "oudin": Method(
        "Oudin et al. 2005",
        "Oudin et al. (2005), doi:10.1016/j.jhydrol.2004.08.026",
        (declared.TEMPERATURE,),
        _oudin,
        _SUN,
        solar=True,
    ),
    "hargreaves": Method(
        "Hargreaves and Samani 1985",
        f"Hargreaves and Samani (1985), doi:10.13031/2013.26773; {_ALLEN}, eq. 52",
        (declared.RANGE,),
        _hargreaves,
        f"{_SUN}; mean temperature is the mean of daily minimum and maximum",
        solar=True,
    ),
    "priestley_taylor": Method(
        "Priestley and Taylor 1972",
        "Priestley and Taylor (1972), doi:10.1175/1520-0493(1972)100<0081:OTAOSH>2.3.CO;2",
        (declared.TEMPERATURE, declared.RADIATION, declared.AIR_PRESSURE),
        _priestley_taylor,
        f"{_NET}; alpha 1.26; latent heat at the air temperature",
    ),
    "fao56": Method(
        "FAO-56 Penman-Monteith",
        f"{_ALLEN}, eq. 6",
        (
            declared.TEMPERATURE,
            declared.RADIATION,
            declared.HUMIDITY,
            declared.TEN_METRE_WIND,
            declared.AIR_PRESSURE,
            declared.OPTIONAL_RANGE,
        ),
        _fao56,
        f"{_NET}; wind taken at 10 m and reduced to 2 m by FAO-56 eq. 47 (factor 0.748)",
    ),
}
