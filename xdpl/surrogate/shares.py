"""Parameters and forcings as a surrogate reads them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from xdpl.calibration.cube import Cube
from xdpl.labelled.host import on_host
from xdpl.models import Model
from xdpl.surrogate.design import DRAW

__all__ = ["PREFIX", "names", "readable", "shares"]

#: Of the variables that hold parameters.
PREFIX = "share_of_"


def names(model: Model) -> list[str]:
    """The variables that hold the parameters of a model."""
    return [f"{PREFIX}{p.name}" for p in model.parameters]


def shares(model: Model, parameters: Mapping[str, xr.DataArray]) -> xr.Dataset:
    """Where parameters in declared units lie between their bounds, 0 to 1, on their scale; NaN stays."""
    found = {}
    for p in model.parameters:
        array = on_host(parameters[p.name])
        points = Cube((p,)).points({p.name: np.asarray(array.values, np.float64)})
        found[f"{PREFIX}{p.name}"] = array.copy(data=points[..., 0]).drop_attrs().assign_attrs(units="1")
    return xr.Dataset(found)


def readable(forcings: Mapping[str, xr.DataArray], units: Mapping[str, str], of: xr.Dataset) -> xr.Dataset:
    """Forcings under their own names beside shares, for every draw if there are some."""
    out = of.reset_coords(drop=True)
    for name, array in forcings.items():
        whole = array.expand_dims({DRAW: of.sizes[DRAW]}) if DRAW in of.dims else array
        out[name] = whole.drop_attrs(deep=False).assign_attrs(units=units[name])
    return out
