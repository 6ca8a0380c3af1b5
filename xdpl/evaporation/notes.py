"""What a method took and assumed, in words, for the attributes of the output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdpl.evaporation.declarations import AIR_PRESSURE, OPTIONAL_RANGE, TEMPERATURE
from xdpl.evaporation.humidity import SEA_LEVEL_PRESSURE

if TYPE_CHECKING:
    from xdpl.evaporation.methods import Method

__all__ = ["notes"]


def notes(method: Method, names: set[str]) -> list[str]:
    """Return sentences on what was chosen, for the attributes of the output.

    Parameters
    ----------
    method : Method
    names : set of str
        Declared names of the variables in use.
    """
    lines = [method.assumes]
    if TEMPERATURE in method.needs and "air_temperature" not in names:
        lines.append("mean temperature is the mean of daily minimum and maximum")
    if AIR_PRESSURE in method.needs:
        lines.append(_pressure_note(names))
    if OPTIONAL_RANGE in method.needs:
        ends = "daily minimum and maximum" if "air_temperature_min" in names else "daily mean"
        lines.append(f"saturation vapour pressure at the {ends} temperature")
    return lines


def _pressure_note(names: set[str]) -> str:
    if "surface_air_pressure" in names:
        return "air pressure from the dataset"
    if "surface_altitude" in names:
        return "air pressure from elevation by FAO-56 eq. 7"
    return f"no air pressure or elevation found: standard atmosphere at sea level, {SEA_LEVEL_PRESSURE} kPa"
