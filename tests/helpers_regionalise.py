"""Calibrated parameters of the small worlds, and regionalisations of them."""

from __future__ import annotations

import functools
from typing import Any

import xarray as xr
from helpers_learn import ATTRIBUTES, Bucket, training_sites, twin, world

import xdpl

METHODS = ("regression", "similarity", "nearest")
TWIN_ATTRIBUTES = ["sand", "clay", "ndvi", "elevation"]


def bucket_truth(ds: xr.Dataset) -> xr.Dataset:
    """What made the runoff of `world`."""
    theta = xr.Dataset({"leak": 0.02 + 0.006 * ds["sand"], "split": 0.1 + 1.5 * ds["clay"]})
    theta["leak"].attrs, theta["split"].attrs = {"units": "d-1"}, {"units": "1"}
    return theta


def twin_truth(ds: xr.Dataset) -> xr.Dataset:
    """The known parameters of the twin, by the names of the model."""
    names = [name for name in map(str, ds.data_vars) if "lower_bound" in ds[name].attrs]
    return ds[names].rename({name: name.removeprefix("true_") for name in names})


def regional(ds: xr.Dataset | None = None, **options: Any) -> xdpl.Regionalisation:
    """A regionalisation of `Bucket` on `world`."""
    ds = world() if ds is None else ds
    defaults: dict[str, Any] = {"target": "runoff", "attributes": ATTRIBUTES, "donors": 2}
    parameters = options.pop("parameters", None)
    parameters = bucket_truth(world()) if parameters is None else parameters
    return xdpl.regionalise(ds, options.pop("model", Bucket()), parameters, **(defaults | options))


@functools.cache
def of_twin(method: str = "regression", average: str = "outputs") -> xdpl.Regionalisation:
    """Of the truth of the twin at 22 of 30 sites."""
    ds = twin()
    return xdpl.regionalise(
        ds,
        "vic",
        twin_truth(ds),
        target="soil_moisture",
        attributes=TWIN_ATTRIBUTES,
        method=method,
        average=average,
        sites=training_sites(ds),
    )
