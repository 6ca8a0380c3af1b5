"""Long-term water balance of sites, as Budyko saw it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from xdpl import units as u
from xdpl.errors import Problems
from xdpl.evaluation.checks import check_labels, names
from xdpl.evaluation.per_site import reduce_dims
from xdpl.labelled import lookup, schema
from xdpl.models.base import Declaration
from xdpl.models.weather import POTENTIAL_EVAPOTRANSPIRATION, PRECIPITATION

__all__ = ["water_balance"]

_UNITS = "mm d-1"
_EVAPOTRANSPIRATION = Declaration("evapotranspiration", _UNITS, "lwe_water_evaporation_rate")
# As models call it; the first that is there.
_STREAMFLOW = ("streamflow", "runoff")

_LONG_NAMES = {
    "precipitation": "mean precipitation",
    "potential_evapotranspiration": "mean potential evapotranspiration",
    "aridity_index": "aridity index, potential evapotranspiration over precipitation",
    "evapotranspiration": "mean simulated evapotranspiration",
    "streamflow": "mean simulated streamflow",
    "evaporative_index": "evaporative index, simulated evapotranspiration over precipitation",
    "observed_streamflow": "mean observed streamflow",
    "observed_evaporative_index": "evaporative index, one minus observed streamflow over precipitation",
}


def water_balance(
    ds: xr.Dataset,
    simulated: xr.Dataset | None = None,
    *,
    target: str | None = None,
    forcings: Mapping[str, str] | None = None,
    time: slice | None = None,
) -> xr.Dataset:
    """Long-term means of the water balance at every site, with the two indices of Budyko.

    Parameters
    ----------
    ds : Dataset
        With precipitation and potential evapotranspiration over ``time``, found as in `xdpl.simulate`.
    simulated : Dataset, optional
        With evapotranspiration, as `xdpl.simulate` gives it, and maybe ``streamflow`` or ``runoff``;
        same labels as `ds`, maybe more dims (a member).
    target : str, optional
        Variable of `ds` with the observed streamflow, as a depth, or in m3 s-1 with an area.
    forcings : mapping of str to str, optional
        As in `xdpl.simulate`; may name the ``area``.
    time : slice, optional
        Period of the means, by dates; all if not given. Begin after the model has warmed up.

    Returns
    -------
    Dataset
        Over the site dims. Means in mm d-1: ``precipitation`` and ``potential_evapotranspiration``;
        ``evapotranspiration`` and maybe ``streamflow`` of `simulated`; ``observed_streamflow`` of
        `target`. Ratios of sums (1): ``aridity_index``, potential evapotranspiration over
        precipitation; ``evaporative_index``, evapotranspiration over precipitation;
        ``observed_evaporative_index``, precipitation less observed streamflow, over precipitation.
        NaN where nothing is known, ratios also where there is no precipitation. Quantified if
        `ds` is; lazy where an input is.

    Raises
    ------
    InputErrors
        If variables, units or an area are missing or wrong, or labels differ.

    Notes
    -----
    Each mean and ratio is over the days on which all that it is made of are known: the forcings, the
    forcings and the simulated, or precipitation and the observed. The ratios stand for long-term
    fluxes: the change of storage, and gaps at one time of the year, show in them.

    Source: Budyko (1974), Climate and Life, Academic Press.
    """
    problems = Problems("water_balance")
    rain, demand = _forcings(ds, forcings, problems)
    evaporated = _simulated(ds, simulated, problems)
    observed = None if target is None else _observed(ds, target, forcings, problems)
    problems.raise_if_any()

    def means(*arrays: xr.DataArray) -> list[xr.DataArray]:
        chosen = arrays if time is None else [array.sel(time=time) for array in arrays]
        return reduce_dims(_means, chosen, ["time"], [np.float64] * len(chosen))

    found = dict(zip(("precipitation", "potential_evapotranspiration"), means(rain, demand), strict=True))
    found["aridity_index"] = _over(found["potential_evapotranspiration"], found["precipitation"])
    if evaporated:
        *fluxes, same_rain, _ = means(*evaporated.values(), rain, demand)
        found |= dict(zip(evaporated, fluxes, strict=True))
        found["evaporative_index"] = _over(found["evapotranspiration"], same_rain)
    if observed is not None:
        found["observed_streamflow"], same_rain = means(observed, rain)
        found["observed_evaporative_index"] = 1.0 - _over(found["observed_streamflow"], same_rain)
    return u.quantify_like(_describe(found), *ds.data_vars.values())


def _forcings(
    ds: xr.Dataset, mapping: Mapping[str, str] | None, problems: Problems
) -> tuple[xr.DataArray, xr.DataArray]:
    declared = (PRECIPITATION, POTENTIAL_EVAPOTRANSPIRATION)
    sources = lookup.find(ds, declared, _known(mapping), problems, also=("area",))
    arrays = [
        _over_time(schema.found(ds, sources[d.name], _UNITS, mapping, problems).data, d.name, problems)
        if d.name in sources
        else xr.DataArray()
        for d in declared
    ]
    return arrays[0], arrays[1]


def _known(mapping: Mapping[str, str] | None) -> dict[str, str]:
    # A mapping made for a model names its other forcings too.
    wanted = (PRECIPITATION.name, POTENTIAL_EVAPOTRANSPIRATION.name, "area")
    return {name: variable for name, variable in (mapping or {}).items() if name in wanted}


def _simulated(ds: xr.Dataset, simulated: xr.Dataset | None, problems: Problems) -> dict[str, xr.DataArray]:
    if simulated is None:
        return {}
    check_labels(problems, "simulated", ds, simulated)
    sources = {"evapotranspiration": lookup.find_one(simulated, _EVAPOTRANSPIRATION, {}, problems)}
    if sources["evapotranspiration"] is None:
        problems.add(
            "simulated",
            expected=lookup.wanted(_EVAPOTRANSPIRATION),
            got=names(simulated.data_vars),
            fix='outputs=["evapotranspiration", ...] in simulate',
        )
    sources["streamflow"] = next((name for name in _STREAMFLOW if name in simulated), None)
    arrays = {k: lookup.in_units(simulated[v], _UNITS, problems) for k, v in sources.items() if v is not None}
    return {name: _over_time(array, name, problems) for name, array in arrays.items()}


def _observed(
    ds: xr.Dataset, target: str, mapping: Mapping[str, str] | None, problems: Problems
) -> xr.DataArray:
    if target not in ds:
        problems.add(
            "target",
            expected="a variable of ds with the observed streamflow",
            got=repr(target),
            fix=f"name one of {names(ds.data_vars)}",
        )
        return xr.DataArray()
    found = schema.found(ds, {target: target}, _UNITS, mapping, problems)
    return _over_time(found.data, target, problems)


def _over_time(array: xr.DataArray, name: str, problems: Problems) -> xr.DataArray:
    if "time" not in array.dims:
        problems.add(
            name, expected="a dim 'time'", got=names(array.dims), fix="rename the dim, or take daily values"
        )
    return array


def _means(*arrays: Any) -> tuple[Any, ...]:
    """Means over the last axis, over the days on which all are known."""
    wide = np.broadcast_arrays(*(array.astype(np.float64) for array in arrays))
    known = ~np.isnan(wide).any(axis=0)
    days = known.sum(axis=-1)
    some = days > 0
    sums = (np.where(known, array, 0.0).sum(axis=-1) for array in wide)
    return tuple(np.where(some, total, np.nan) / np.where(some, days, 1) for total in sums)


def _over(part: xr.DataArray, rain: xr.DataArray) -> xr.DataArray:
    return part / rain.where(rain > 0.0)


def _describe(found: Mapping[str, xr.DataArray]) -> xr.Dataset:
    out = xr.Dataset(dict(found)).drop_encoding()
    for name in out.data_vars:
        units = "1" if str(name).endswith("_index") else _UNITS
        out[name].attrs = {"long_name": _LONG_NAMES[str(name)], "units": units}
    out.attrs = {
        "comment": "means over the days on which all that enter are known; changes of storage are neglected",
        "references": "Budyko 1974, Climate and Life, Academic Press",
    }
    return out
