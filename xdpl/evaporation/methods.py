"""The methods by name: what each takes, its formula over arrays, and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from xdpl.evaporation import declarations as declared
from xdpl.evaporation import formulas
from xdpl.evaporation.radiation import ALBEDO

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


_NET = f"net radiation with albedo {ALBEDO} and Stefan-Boltzmann outgoing longwave; no soil heat flux"
_ALLEN = "Allen et al. (1998), FAO Irrigation and Drainage Paper 56"
_SUN = "extraterrestrial radiation by FAO-56 eq. 21; latent heat 2.45 MJ kg-1"

METHODS = {
    "oudin": Method(
        "Oudin et al. 2005",
        "Oudin et al. (2005), doi:10.1016/j.jhydrol.2004.08.026",
        (declared.TEMPERATURE,),
        formulas.from_oudin,
        _SUN,
        solar=True,
    ),
    "hargreaves": Method(
        "Hargreaves and Samani 1985",
        f"Hargreaves and Samani (1985), doi:10.13031/2013.26773; {_ALLEN}, eq. 52",
        (declared.RANGE,),
        formulas.from_hargreaves,
        f"{_SUN}; mean temperature is the mean of daily minimum and maximum",
        solar=True,
    ),
    "priestley_taylor": Method(
        "Priestley and Taylor 1972",
        "Priestley and Taylor (1972), doi:10.1175/1520-0493(1972)100<0081:OTAOSH>2.3.CO;2",
        (declared.TEMPERATURE, declared.RADIATION, declared.AIR_PRESSURE),
        formulas.from_priestley_taylor,
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
        formulas.from_fao56,
        f"{_NET}; wind taken at 10 m and reduced to 2 m by FAO-56 eq. 47 (factor 0.748)",
    ),
}
