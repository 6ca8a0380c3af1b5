"""Potential evapotranspiration of a dataset."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import xarray as xr

from xdpl import units
from xdpl.errors import Problems
from xdpl.evaporation.blocks import apply_by_block
from xdpl.evaporation.dates import check_dims, check_time, day_of_year
from xdpl.evaporation.inputs import choose
from xdpl.evaporation.methods import METHODS, Method
from xdpl.evaporation.notes import notes
from xdpl.labelled import lookup
from xdpl.labelled.place import find_place, in_degrees
from xdpl.labelled.tree import over_nodes

if TYPE_CHECKING:
    from xdpl.models.base import Forcing

__all__ = ["pet"]

_NAME = "potential_evapotranspiration"


def _present(ds: xr.Dataset, method: str, *, forcings: Mapping[str, str] | None = None) -> list[str]:
    """What the dataset has of what the method needs; problems are not noted."""
    scratch = Problems("pet")
    return [f.name for f in choose(ds, _method(method, scratch), dict(forcings or {}), scratch)]


@over_nodes(_present)
def pet(ds: xr.Dataset, method: str, *, forcings: Mapping[str, str] | None = None) -> xr.DataArray:
    """Potential evapotranspiration by a named method; negative values are set to zero.

    Parameters
    ----------
    ds : Dataset
        Daily (or longer) means with a `time` dimension, any other dims, and units in
        the attributes or pint-quantified. dask data stay lazy. Or a `DataTree`: a tree
        with one variable comes back.
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
    sea level.

    References
    ----------
    Oudin et al. (2005), doi:10.1016/j.jhydrol.2004.08.026; Hargreaves and Samani (1985),
    doi:10.13031/2013.26773; Priestley and Taylor (1972); Allen et al. (1998), FAO
    Irrigation and Drainage Paper 56.
    """
    problems = Problems(f"pet(ds, {method!r})")
    mapping = dict(forcings or {})
    check_time(ds, problems)
    recipe = _method(method, problems)
    chosen = choose(ds, recipe, mapping, problems)
    check_dims(ds, chosen, problems)
    sources = {f.name: name for f, name in chosen.items()}
    arrays = {f.name: _values(ds, name, f, problems) for f, name in chosen.items()}
    comments = notes(recipe, set(sources))
    if recipe.solar and (latitude := find_place(ds, "latitude", problems, mapping)):
        sources["latitude"] = latitude
        arrays["latitude"] = in_degrees(ds, latitude, "latitude", problems)
    problems.raise_if_any()

    if recipe.solar:
        arrays["day_of_year"] = day_of_year(ds)
    result = apply_by_block(recipe.formula, arrays)
    result.attrs = _attributes(recipe, comments, sources)
    out = ds.coords.to_dataset().assign({_NAME: result})
    out = units.quantify_like(out, *(ds[name] for name in sources.values()))
    return out[_NAME].drop_encoding()


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


def _attributes(method: Method, comments: list[str], sources: Mapping[str, str]) -> dict[str, str]:
    return {
        "units": "mm d-1",
        "standard_name": "water_potential_evapotranspiration_flux",
        "long_name": f"potential evapotranspiration ({method.title})",
        "comment": "; ".join([*comments, "negative values were set to zero"]),
        "references": method.references,
        "source_variables": json.dumps(dict(sources)),
    }
