"""Order of dims, also of arrays that follow the array API to the letter."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import xarray as xr
from array_api_compat import array_namespace

__all__ = ["transposed"]


def transposed(array: xr.DataArray, dims: Sequence[Hashable]) -> xr.DataArray:
    """The array with its dims in another order; a view where the namespace has views."""
    data: Any = array.data
    if array.dims == tuple(dims) or hasattr(data, "transpose"):
        return array.transpose(*dims)
    # xarray asks the namespace for `transpose`, which the array API calls `permute_dims`.
    axes = tuple(array.dims.index(d) for d in dims)
    moved = array_namespace(data).permute_dims(data, axes)
    return xr.DataArray(moved, array.coords, tuple(dims), array.name, array.attrs)
