"""Site dimensions of a dataset, flattened to one axis and back."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from xdpl.labelled.host import on_host

__all__ = ["Grid"]


@dataclass(frozen=True)
class Grid:
    """All dimensions but time, with their sizes and coordinates.

    Parameters
    ----------
    dims : tuple of str
    shape : tuple of int
    coords : dict of str to DataArray
        Coordinates without a time dimension.
    """

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    coords: dict[Any, xr.DataArray]

    @classmethod
    def of(cls, ds: xr.Dataset, variables: Iterable[str]) -> Grid:
        """Site dimensions of some variables of a dataset, in the order they appear."""
        dims: list[str] = []
        for variable in variables:
            dims += [str(d) for d in ds[variable].dims if d != "time" and d not in dims]
        coords = {k: c for k, c in ds.coords.items() if set(c.dims) <= set(dims)}
        return cls(tuple(dims), tuple(ds.sizes[d] for d in dims), coords)

    @property
    def size(self) -> int:
        """Number of sites."""
        return math.prod(self.shape)

    def flatten(self, array: xr.DataArray, dtype: Any = np.float64) -> np.ndarray:
        """Values as (time, site) or (site,), broadcast over missing site dimensions."""
        missing = {d: n for d, n in zip(self.dims, self.shape, strict=True) if d not in array.dims}
        array = on_host(array)
        array = array.expand_dims(missing) if missing else array
        lead = ("time",) if "time" in array.dims else ()
        values = np.asarray(array.transpose(*lead, *self.dims).values, dtype=dtype)
        return values.reshape(*(values.shape[:1] if lead else ()), self.size)

    def unflatten(self, values: np.ndarray) -> xr.DataArray:
        """Values (site,) as a labelled array on the site dimensions."""
        return xr.DataArray(values.reshape(self.shape), dims=self.dims, coords=self.coords)

    def label(self, site: int) -> str:
        """How to call one site in a message, such as ``site=57`` or ``lat=47.5, lon=-70.0``."""
        where = dict(zip(self.dims, np.unravel_index(site, self.shape), strict=True))
        parts = [f"{d}={self.coords[d].values[i] if d in self.coords else int(i)}" for d, i in where.items()]
        return ", ".join(parts)
