"""Units at the boundary: read, compare and convert; kernels see plain arrays."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pint
    import xarray as xr

__all__ = [
    "UnitsError",
    "dequantify",
    "is_quantified",
    "is_volume_flow",
    "linear",
    "magnitude",
    "parse",
    "quantify_like",
    "read",
    "strip",
]

_WATER_DENSITY = "1000 kg / m**3"
# Neither the point of a number such as 1.e-3.
_DOT = re.compile(r"(?<=[A-Za-zµ°\d])\.(?![eE][+-]?\d)(?=[A-Za-zµ°])")
# Not the exponent of a number: 1e-3 m is no unit to the power of -3.
_EXPONENT = re.compile(r"(?<=[A-Za-zµ°])(?<![\d.][eE])\s*\^?\s*([+-]?\d+)(?![A-Za-z\d.])")
_DEGREES = re.compile(r"^deg(?:rees?)? (celsius|fahrenheit|kelvin|[CFK])$", re.IGNORECASE)
_DIMENSIONLESS = {"", "1", "-", "unitless", "dimensionless", "fraction"}
# Spellings of CF and UDUNITS that pint does not know.
_ALIASES = (
    "@alias degree_Celsius = Celsius = degree_C = degrees_C = deg_C = degrees_Celsius = degreeC = degreesC",
    "@alias degree_Fahrenheit = Fahrenheit = degree_F = degrees_F = deg_F = degrees_Fahrenheit",
    "@alias kelvin = Kelvin = degree_K = degrees_K = deg_K = degrees_Kelvin",
    "degree_north = degree = _ = degrees_north = degree_N = degrees_N = degreeN = degreesN",
    "degree_east = degree = _ = degrees_east = degree_E = degrees_E = degreeE = degreesE",
    "cubic_foot_per_second = foot ** 3 / second = cfs",
)


class UnitsError(ValueError):
    """Units that cannot be read or converted."""


@cache
def _registry() -> pint.UnitRegistry[Any]:
    # Private, so that the application registry of the user is never touched.
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    for alias in _ALIASES:
        registry.define(alias)
    return registry


@cache
def parse(units: str) -> pint.Unit:
    """Read a CF, UDUNITS or pint unit string.

    Parameters
    ----------
    units : str
        Such as ``"mm d-1"``, ``"W/m^2"``, ``"degC"``, ``"percent"``, ``"1"``.

    Raises
    ------
    UnitsError
        If the string is not a unit.
    """
    text = _DEGREES.sub(lambda m: f"degree_{m[1][0].upper()}", units.strip())
    if text in _DIMENSIONLESS:
        return _registry().dimensionless
    text = _EXPONENT.sub(r"**\1", _DOT.sub(" ", text.replace("%", "percent")))
    try:
        return _registry().Unit(text)
    except Exception as error:  # pint raises its own, tokenizer and attribute errors alike
        msg = f"cannot read units {units!r}"
        raise UnitsError(msg) from error


def linear(source: str, target: str) -> tuple[float, float]:
    """Slope and offset that turn values in `source` into values in `target`.

    A mass of water per area and a depth convert with 1000 kg m-3.

    Raises
    ------
    UnitsError
        If either cannot be read or they do not convert.
    """
    registry = _registry()
    a, b = parse(source), parse(target)
    ratio = (registry.Quantity(1.0, a) / registry.Quantity(1.0, b)).dimensionality if a != b else None
    factor = registry.Quantity(1.0)
    water: Any = registry.Quantity(_WATER_DENSITY)
    if ratio == water.dimensionality:
        factor = 1.0 / water
    elif ratio == (1.0 / water).dimensionality:
        factor = water
    try:
        if factor.dimensionless:
            zero = registry.Quantity(0.0, a).to(b).magnitude
            # A long lever keeps the slope exact next to an offset such as 273.15.
            slope = (registry.Quantity(1e6, a).to(b).magnitude - zero) / 1e6
            return float(slope), float(zero)
        return float((registry.Quantity(1.0, a) * factor).to(b).magnitude), 0.0
    except Exception as error:
        msg = f"cannot convert units {source!r} to {target!r}"
        raise UnitsError(msg) from error


def is_volume_flow(source: str, target: str) -> bool:
    """Whether `source` becomes `target` once it is divided by an area, such as m3 s-1 and mm d-1.

    Raises
    ------
    UnitsError
        If either cannot be read.
    """
    registry = _registry()
    a, b = (registry.Quantity(1.0, parse(text)).dimensionality for text in (source, target))
    ratio: bool = a / b == registry.Quantity(1.0, "m**2").dimensionality
    return ratio


def strip(array: xr.DataArray, target: str) -> xr.DataArray:
    """Values in `target` units without pint units or attributes; lazy data stay lazy.

    Raises
    ------
    UnitsError
        If the array has no units or they do not convert.
    """
    source = read(array)
    if source is None:
        msg = f"{array.name}: no units"
        raise UnitsError(msg)
    slope, offset = linear(source, target)
    # Not drop_attrs, which copies the data.
    plain = magnitude(array).copy(deep=False)
    plain.attrs = {}
    if slope != 1.0:
        plain = plain * slope
    return plain + offset if offset != 0.0 else plain


def is_quantified(array: xr.DataArray) -> bool:
    """Whether the data carry pint units."""
    data: Any = array.variable._data
    return hasattr(data, "magnitude") and hasattr(data, "units")


def magnitude(array: xr.DataArray) -> xr.DataArray:
    """Without pint units, if there are any."""
    data: Any = array.variable._data
    return array.copy(data=data.magnitude) if is_quantified(array) else array


def dequantify(array: xr.DataArray) -> xr.DataArray:
    """Pint units as an attribute, where there are any."""
    return magnitude(array).assign_attrs(units=read(array)) if is_quantified(array) else array


def read(array: xr.DataArray) -> str | None:
    """Units of a variable: of the quantity, else of the attribute; None if missing."""
    if is_quantified(array):
        data: Any = array.variable._data
        return f"{data.units:D}"
    units = array.attrs.get("units")
    return None if units is None else str(units)


def quantify_like(ds: xr.Dataset, *like: xr.DataArray) -> xr.Dataset:
    """Turn the `units` attributes of a dataset into quantities, where one of `like` is a quantity.

    They are of the registry of the first such one; variables without units stay as they are.
    """
    quantities: list[Any] = [array.variable._data for array in like if is_quantified(array)]
    if not quantities:
        return ds
    registry = quantities[0]._REGISTRY
    out = ds.copy()
    for name, array in ds.data_vars.items():
        if "units" not in array.attrs:  # labels
            continue
        # The long format is read by any registry; CF exponents are not.
        unit = registry.Unit(f"{parse(array.attrs['units']):D}")
        attrs = {k: v for k, v in array.attrs.items() if k != "units"}
        out[name] = array.copy(data=registry.Quantity(array.data, unit))
        out[name].attrs = attrs
    return out
