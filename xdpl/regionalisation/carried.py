"""Parameters carried to the sites of a dataset, labelled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from array_api_compat import array_namespace

from xdpl import units
from xdpl.errors import Problems
from xdpl.fit.attributes import find_attributes, without_attributes
from xdpl.labelled import schema
from xdpl.labelled.attrs import provenance, variable_attrs
from xdpl.labelled.globe import unit_vectors
from xdpl.labelled.place import Kind, find_place, in_degrees
from xdpl.regionalisation.arrays import as_like

if TYPE_CHECKING:
    from xdpl.regionalisation.donors import Donors
    from xdpl.regionalisation.regression import Regression
    from xdpl.regionalisation.result import Regionalisation

__all__ = ["Carried", "carried", "find_position"]

Array = Any

_KINDS: tuple[Kind, ...] = ("latitude", "longitude")


def carried(regional: Regionalisation, ds: xr.Dataset) -> xr.Dataset:
    """Parameters of every site; arguments as in `Regionalisation.parameters`.

    Raises
    ------
    InputErrors
        With every problem found.
    """
    problems = Problems("Regionalisation.parameters")
    attributes = find_attributes(regional, ds, problems)
    method = regional.method
    position = find_position(ds, problems) if regional.settings["method"] == "nearest" else {}
    problems.raise_if_any()
    dims = ["member"] if method.members > 1 else []
    results = xr.apply_ufunc(
        Carried(method, tuple(attributes), bool(position)),
        *attributes.values(),
        *position.values(),
        output_core_dims=[dims] * len(method.parameters),
        dask="parallelized",
        output_dtypes=[np.float64] * len(method.parameters),
        dask_gufunc_kwargs={"output_sizes": {"member": method.members}} if dims else {},
        keep_attrs=False,
    )
    arrays = results if isinstance(results, tuple) else (results,)
    named = zip(method.parameters, arrays, strict=True)
    out = xr.Dataset({p.name: a.transpose(*dims, ...).assign_attrs(variable_attrs(p)) for p, a in named})
    # Latitude and longitude alone do not bring the coordinates of both.
    out = out.assign_coords({k: c for k, c in ds.coords.items() if set(c.dims) <= set(out.dims)})
    settings = {
        "attributes": json.dumps(list(regional.attributes)),
        "training": json.dumps(regional.settings),
    }
    title = f"{regional.model.name} parameters regionalised by {regional.settings['method']}"
    out.attrs = provenance(title, regional.model, history=ds.attrs.get("history")) | settings
    return units.quantify_like(out.drop_encoding(), *(ds[name] for name in attributes))


def find_position(ds: xr.Dataset, problems: Problems) -> dict[str, xr.DataArray]:
    """Latitude and longitude in degrees, by the name they have in the dataset, over its site dims."""
    site_dims = tuple(str(d) for d in ds.dims if d != "time")
    found = {}
    for kind in _KINDS:
        name = find_place(ds, kind, problems)
        if name is not None and schema.static(ds, [name], site_dims, f"a {kind}", problems):
            degrees = in_degrees(ds, name, kind, problems).astype(np.float64)
            found[name] = xr.DataArray(degrees, coords=ds[name].coords, name=name).drop_attrs()
    return found


@dataclass(frozen=True)
class Carried:
    """A method with the names of what it is called with, for blocks of arrays of any namespace.

    Parameters
    ----------
    method : Regression or Donors
    attributes : tuple of str
        Names of the attributes, which come first.
    position : bool
        Whether latitude and longitude follow, by which the method knows the sites.
    """

    method: Regression | Donors
    attributes: tuple[str, ...]
    position: bool

    def __call__(self, *values: Array) -> Array | tuple[Array, ...]:
        """Parameters of a block of sites.

        Parameters
        ----------
        *values : array, broadcastable (*sites)
            Attributes in the units of the training, then positions in degrees.

        Returns
        -------
        tuple of array, (*sites, [member])
            Of the namespace and device of the first; NaN where all attributes are, or a
            position. Not in a tuple if there is one only.

        Raises
        ------
        InputErrors
            If some but not all attributes of a site are NaN.
        """
        xp = array_namespace(values[0])
        shape = np.broadcast_shapes(*(v.shape for v in values))
        brought = [v if array_namespace(v) is xp else as_like(xp, v, values[0]) for v in values]
        flat = xp.stack([xp.reshape(xp.broadcast_to(v, shape), (-1,)) for v in brought], axis=1)
        missing = xp.isnan(flat)
        count = len(self.attributes)
        absent = xp.any(missing[:, count:], axis=1)
        if count:
            call = "Regionalisation.parameters"
            absent = absent | without_attributes(xp, missing[:, :count], self.attributes, call)
        flat = xp.where(missing, 0.0, flat)
        columns = unit_vectors(xp, flat[:, -2], flat[:, -1]) if self.position else flat
        found = tuple(self._shaped(xp, v, absent, shape) for v in self.method(xp, columns))
        return found if len(found) > 1 else found[0]

    @staticmethod
    def _shaped(xp: Any, v: Array, absent: Array, shape: tuple[int, ...]) -> Array:
        """Values (site, [member]) as (*sites, [member])."""
        blank = xp.reshape(absent, (-1,) + (1,) * (v.ndim - 1))
        return xp.reshape(xp.where(blank, xp.nan, v), (*shape, *v.shape[1:]))
