"""How the parameters of the synthetic world follow its attributes."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import xarray as xr

__all__ = ["RELATIONS", "USUAL", "true_parameters"]

Relation = Callable[[xr.Dataset], xr.DataArray]

#: Parameters that follow the attributes where nothing else is said.
USUAL = ("porosity", "critical_fraction", "residual_fraction", "ksat", "canopy_fraction", "d1")

#: Of sand, clay and height as fractions and of ndvi, nonlinear and with interactions; within the bounds.
RELATIONS: dict[str, Relation] = {
    "infilt": lambda a: 0.03 * np.exp(3.0 * a.clay),
    "ds": lambda a: 0.005 * np.exp(3.5 * a.sand),
    "dsmax": lambda a: 4.0 + 18.0 * a.height**1.5,
    "ws": lambda a: 0.5 + 0.4 * (1.0 - a.sand),
    "expt": lambda a: 6.0 + 18.0 * a.clay**0.8,
    "ksat": lambda a: np.exp(np.log(30.0) + 4.6 * a.sand**1.3 - 0.8 * a.clay),
    "d1": lambda a: 0.055 + 0.04 * (0.5 * a.height + 0.5 * (1.0 - a.ndvi)) ** 0.8,
    "d2": lambda a: 0.2 + 0.6 * a.ndvi,
    "d3": lambda a: 0.6 + 1.0 * (1.0 - a.height),
    "porosity": lambda a: 0.32 + 0.26 * np.sqrt(1.0 - a.sand) * (1.0 - 0.3 * a.height),
    "critical_fraction": lambda a: 0.45 + 0.45 * np.tanh(1.8 * a.clay + 0.6 * (1.0 - a.sand)) ** 2,
    "wilting_fraction": lambda a: 0.25 + 0.5 * a.clay,
    "residual_fraction": lambda a: 0.15 + 0.6 * (1.0 - a.sand) ** 1.5,
    "root_fraction": lambda a: 0.25 + 0.5 * (1.0 - a.ndvi),
    "canopy_fraction": lambda a: 0.1 + 0.85 * (1.0 - np.exp(-2.2 * a.ndvi**1.5)),
    "tt": lambda a: -1.0 + 2.5 * a.height,
    "cfmax": lambda a: 1.8 + 4.5 * (1.0 - a.ndvi) ** 1.5,
}


def true_parameters(ds: xr.Dataset, varying: Collection[str]) -> xr.Dataset:
    """Parameters from attributes by the known relations, with units.

    Parameters
    ----------
    ds : Dataset
        With ``sand``, ``clay`` (percent), ``ndvi`` (1) and ``elevation`` (m).
    varying : collection of str
        Keys of `RELATIONS`.

    Returns
    -------
    Dataset
        In the order the model declares.
    """
    from xdpl.labelled.attrs import variable_attrs
    from xdpl.models import get

    shares = {
        "sand": ds["sand"] / 100.0,
        "clay": ds["clay"] / 100.0,
        "ndvi": ds["ndvi"],
        "height": (ds["elevation"] - 200.0) / 2000.0,
    }
    bare = {k: v.reset_coords(drop=True).drop_attrs(deep=False) for k, v in shares.items()}
    attributes = xr.Dataset(bare)
    declared = [p for p in get("vic").parameters if p.name in varying]
    found = {p.name: RELATIONS[p.name](attributes).assign_attrs(variable_attrs(p)) for p in declared}
    return xr.Dataset(found)
