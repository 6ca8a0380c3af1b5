"""A tower in the synthetic world, where what it measures is known."""

from __future__ import annotations

import xarray as xr

import xdpl
from xdpl.experiments.tower import DEEP, Tower

DIMS = ("lat", "lon")


def station(ds: xr.Dataset) -> Tower:
    """Two cells of a twin of three years, with the true moisture of the second layer."""
    truth = xr.Dataset({str(k).removeprefix("true_"): v for k, v in ds.items() if "lower_bound" in v.attrs})
    names = ["precipitation", "air_temperature", "potential_evapotranspiration", "soil_moisture"]
    part = ds[names].assign(evapotranspiration=ds["true_evapotranspiration"])
    w2 = xdpl.simulate(ds, "vic", truth, outputs=["w2"])["w2"]
    part[DEEP] = (w2 / 400.0).assign_attrs(units="m3 m-3")
    part["evapotranspiration"].attrs = {"units": "mm d-1"}
    sites = part.stack(site=DIMS).isel(site=[3, 11])
    attrs = {d: ds[d].attrs for d in DIMS}
    sites = sites.reset_index("site").assign_coords(site=["a", "b"])
    for d in DIMS:
        sites[d].attrs = attrs[d]
    observed = {k: k for k in ("soil_moisture", DEEP, "evapotranspiration")}
    return Tower(sites, slice("2001-02-01", "2001-12-31"), slice("2003", None), 30, observed)
