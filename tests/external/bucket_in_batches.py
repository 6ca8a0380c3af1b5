"""Runs all sites of a file at once: ``bucket_in_batches.py forcing parameters output``, CSV or netCDF."""

import sys

import numpy as np
import pandas as pd
import xarray as xr


def bucket(rain, demand, k, capacity):
    """Runoff and evaporation (time, site)."""
    storage, rows = np.full(rain.shape[1], 20.0), []
    for p, e in zip(rain, demand, strict=True):
        storage = storage + p
        evaporation = np.minimum(e * np.where(storage < capacity, storage / capacity, 1.0), storage)
        storage = storage - evaporation
        spill = np.maximum(storage - capacity, 0.0)
        storage = storage - spill
        outflow = k * storage
        storage = storage - outflow
        rows.append((spill + outflow, evaporation))
    return np.moveaxis(np.array(rows), 1, 0)


def csv(forcing, parameters, output):
    table, theta = pd.read_csv(forcing), pd.read_csv(parameters)
    shape = (len(theta), -1)
    rain, demand = (table[k].to_numpy().reshape(shape).T for k in ("precipitation", "demand"))
    runoff, evaporation = bucket(rain, demand, theta["k"].to_numpy(), theta["capacity"].to_numpy())
    table = table[["site", "time"]].assign(evaporation=evaporation.T.ravel(), runoff=runoff.T.ravel())
    table.to_csv(output, index=False)


def netcdf(forcing, parameters, output):
    ds, theta = xr.open_dataset(forcing), xr.open_dataset(parameters)
    assert ds["precipitation"].attrs["units"] == "mm d-1" and theta["capacity"].attrs["units"] == "mm"
    assert ds["precipitation"].dims == ("time", "site") and theta["k"].dims == ("site",)
    numbers = (ds["precipitation"], ds["demand"], theta["k"], theta["capacity"])
    runoff, evaporation = bucket(*(v.values for v in numbers))
    out = xr.Dataset(coords={"time": ds["time"]})
    # Dims have names: their order is free.
    out["runoff"], out["evaporation"] = (("site", "time"), runoff.T), (("time", "site"), evaporation)
    out.to_netcdf(output, engine="h5netcdf")


if __name__ == "__main__":
    {"csv": csv, ".nc": netcdf}[sys.argv[1][-3:]](*sys.argv[1:])
