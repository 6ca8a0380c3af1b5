"""Results of a run as datasets: coordinates, attributes, units."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import units
from xdpl.labelled.attrs import provenance, variable_attrs
from xdpl.labelled.flat import LAG
from xdpl.labelled.states import lag_labels
from xdpl.models.routes import RouteState

if TYPE_CHECKING:
    from xdpl.labelled.prepare import Prepared
    from xdpl.models.base import Declaration

__all__ = ["labelled", "run_attrs"]


def labelled(
    ds: xr.Dataset,
    run: Prepared,
    results: Mapping[Declaration, xr.DataArray],
    attrs: Mapping[str, Any],
) -> xr.Dataset:
    """Put results into a dataset like the one of the forcings.

    Parameters
    ----------
    ds : Dataset
        With the forcings; gives coordinates.
    run : Prepared
    results : mapping of Declaration to DataArray
    attrs : mapping
        Of the dataset.

    Returns
    -------
    Dataset
        Quantified if a forcing is.
    """
    variables = [v for f in run.found.values() for k, v in f.sources.items() if k != "area"]
    out = xr.Dataset()
    for declared, array in results.items():
        out[declared.name] = array
        out[declared.name].attrs = variable_attrs(declared)
        if isinstance(declared, RouteState):
            said = {"units": "1", "long_name": "steps before the time of the states"}
            out = out.assign_coords({LAG: (LAG, lag_labels(declared), said)})
    carried = (ds.coords, run.coords)
    out = out.assign_coords({k: c for coords in carried for k, c in coords.items() if _fits(str(k), c, out)})
    # Of coordinates too: chunks they were stored in need not fit those of the output.
    out = out.drop_encoding()
    out.attrs = dict(attrs)
    return units.quantify_like(out, *(ds[v] for v in variables))


def _fits(name: str, coord: xr.DataArray, out: xr.Dataset) -> bool:
    """Whether a coordinate has a place in the output, where results go before what is called like them."""
    taken = name in out.data_vars or (name in out.dims and coord.dims != (name,))
    return not taken and set(coord.dims) <= set(out.dims)


def run_attrs(ds: xr.Dataset, run: Prepared, what: str) -> dict[str, Any]:
    """Attributes that say what a result was made from: plain values, fit for netCDF and zarr."""
    time = ds.indexes["time"]
    return provenance(f"{run.model.name} {what}", run.model, history=ds.attrs.get("history")) | {
        "forcings": json.dumps({k: v for f in run.found.values() for k, v in f.sources.items()}),
        "period": json.dumps([time[0].isoformat(), time[-1].isoformat()]),
        "parameters_hash": run.parameters_hash,
        "default_parameters": json.dumps(run.defaulted),
    }
