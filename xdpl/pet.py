"""Potential evapotranspiration of a dataset."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import array_api_compat
import numpy as np
import xarray as xr

from xdpl import lookup, units
from xdpl.errors import Problems
from xdpl.evaporation import inputs, place
from xdpl.evaporation.methods import METHODS, Method

if TYPE_CHECKING:
    from xdpl.models.base import Forcing

__all__ = ["pet"]

_NAME = "potential_evapotranspiration"
_DOUBLE = ("latitude", "day_of_year")


def pet(ds: xr.Dataset, method: str, *, forcings: Mapping[str, str] | None = None) -> xr.DataArray:
    """Potential evapotranspiration by a named method; negative values are set to zero.

    Parameters
    ----------
    ds : Dataset
        Daily (or longer) means with a `time` dimension, any other dims, and units in
        the attributes or pint-quantified. dask data stay lazy.
    method : {"oudin", "hargreaves", "priestley_taylor", "fao56"}
        Hyphens may stand for underscores.
    forcings : mapping of str to str, optional
        Name in the method to variable in `ds`. What it does not name is found by name,
        then by CF `standard_name` and, for temperatures, `cell_methods`.

    Returns
    -------
    DataArray
        `potential_evapotranspiration` in mm d-1, with the dims (in order), coordinates and
        dtype of the temperature. The attributes `comment`, `references` and
        `source_variables` (JSON) say what was used and assumed. Quantified if an input is.

    Raises
    ------
    InputErrors
        Listing every problem: an unknown method, variables missing or ambiguous, units
        missing or wrong, no latitude, no daily time.

    Notes
    -----
    ================== ==================================================================
    method             takes
    ================== ==================================================================
    oudin              air_temperature, latitude
    hargreaves         air_temperature_min, air_temperature_max, latitude
    priestley_taylor   air_temperature, shortwave and longwave radiation down
    fao56              the same, humidity (specific, relative, dew point or vapour
                       pressure) and wind at 10 m (speed or both components)
    ================== ==================================================================

    The mean temperature may come from the daily minimum and maximum. Air pressure is
    `surface_air_pressure`, else from `surface_altitude`, else the standard atmosphere at
    sea level. A latitude without units is taken in degrees.

    References
    ----------
    Oudin et al. (2005), doi:10.1016/j.jhydrol.2004.08.026; Hargreaves and Samani (1985),
    doi:10.13031/2013.26773; Priestley and Taylor (1972); Allen et al. (1998), FAO
    Irrigation and Drainage Paper 56.
    """
    problems = Problems(f"pet(ds, {method!r})")
    mapping = dict(forcings or {})
    place.check_time(ds, problems)
    chosen_method = _method(method, problems)
    chosen = inputs.choose(ds, chosen_method, mapping, problems)
    arrays = {f.name: _values(ds, name, f, problems) for f, name in chosen.items()}
    sources = {f.name: name for f, name in chosen.items()}
    notes = inputs.notes(chosen_method, set(sources))
    if chosen_method.solar and (latitude := place.find_latitude(ds, mapping, problems)):
        sources["latitude"] = latitude
        arrays["latitude"] = place.latitude_in_degrees(ds, latitude, problems)
        if units.read(ds[latitude]) is None:
            notes.append(f"latitude {latitude!r} has no units and was taken in degrees")
    problems.raise_if_any()

    if chosen_method.solar:
        arrays["day_of_year"] = place.day_of_year(ds)
    result = _apply(chosen_method.formula, arrays)
    attrs = _attributes(chosen_method, notes, sources)
    quantified = [ds[name] for name in sources.values() if units.is_quantified(ds[name])]
    if quantified:
        registry = quantified[0].variable._data._REGISTRY
        result = result.copy(data=registry.Quantity(result.data, registry.Unit("millimeter/day")))
        del attrs["units"]
    result.attrs = attrs
    return ds.coords.to_dataset().assign({_NAME: result})[_NAME].drop_encoding()


def _method(name: str, problems: Problems) -> Method:
    """Return the method; without one nothing else can be checked."""
    key = str(name).lower().replace("-", "_")
    if key not in METHODS:
        close = difflib.get_close_matches(key, METHODS, n=1)
        problems.add(
            "method",
            expected=f"one of {', '.join(METHODS)}",
            got=repr(name),
            fix=f"method={(close[0] if close else 'oudin')!r}",
        )
        problems.raise_all()
    return METHODS[key]


def _values(ds: xr.Dataset, name: str, forcing: Forcing, problems: Problems) -> xr.Variable:
    array = lookup.in_units(ds[name], forcing.units, problems, subject=forcing.name)
    return array.variable.to_base_variable()


def _apply(formula: Callable[[Mapping[str, Any]], Any], arrays: Mapping[str, xr.Variable]) -> xr.Variable:
    """Apply the formula to arrays by name, block by block; the first gives dtype and dim order."""
    first = next(iter(arrays.values()))
    dtype = first.dtype if first.dtype.kind == "f" else np.dtype(np.float64)

    def block(*values: Any) -> Any:
        xp = array_api_compat.array_namespace(values[0])
        device = array_api_compat.device(values[0])
        cast = {
            name: xp.asarray(value, dtype=xp.float64 if name in _DOUBLE else dtype, device=device)
            for name, value in zip(arrays, values, strict=True)
        }
        return formula(cast)

    result: xr.Variable = xr.apply_ufunc(
        block, *arrays.values(), dask="parallelized", output_dtypes=[dtype], keep_attrs=False
    )
    return result


def _attributes(method: Method, notes: list[str], sources: Mapping[str, str]) -> dict[str, str]:
    return {
        "units": "mm d-1",
        "standard_name": "water_potential_evapotranspiration_flux",
        "long_name": f"potential evapotranspiration ({method.title})",
        "comment": "; ".join([*notes, "negative values were set to zero"]),
        "references": method.references,
        "source_variables": json.dumps(dict(sources)),
    }
