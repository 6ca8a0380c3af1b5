"""A small grid with parameters, and classes of it."""

import numpy as np
import xarray as xr

NAMES = {"ksat": "SATDK"}
UNITS = {"ksat": "m s-1"}


def grid():
    """Porosity and conductivity of two by three cells, in float32."""
    coords = {
        "lat": ("lat", np.array([40.1, 41.1], np.float32), {"units": "degrees_north"}),
        "lon": ("lon", [5.0, 6.5, 7.0], {"units": "degrees_east"}),
    }
    theta = xr.Dataset(coords=coords)
    porosity = np.array([[0.4, 0.3, 0.5], [0.35, 0.45, 0.41]], np.float32)
    ksat = np.array([[86.4, 100.0, 300.0], [20.0, 33.3, 5000.0]], np.float32)
    theta["porosity"] = (("lat", "lon"), porosity, {"units": "m3 m-3", "long_name": "soil porosity"})
    theta["ksat"] = (("lat", "lon"), ksat, {"units": "mm d-1"})
    return theta


def soil(labels=((1, 1, 2), (1, 2, 2)), meanings="sand clay_loam"):
    """Classes of the grid."""
    values = np.arange(1, len(meanings.split()) + 1)
    attrs = {"flag_values": values, "flag_meanings": meanings}
    coords = grid().drop_vars(["porosity", "ksat"]).coords
    return xr.DataArray(np.array(labels), coords, ("lat", "lon"), "soil", attrs)
