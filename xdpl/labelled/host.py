"""Values for numpy, from whatever device they are on."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import is_cupy_array, is_numpy_array

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["on_host", "read"]


def on_host(array: xr.DataArray) -> xr.DataArray:
    """An array with its values on the host, without a copy where they are; lazy blocks stay lazy."""
    data: Any = array.data
    if array.chunks is None:
        values = data if is_numpy_array(data) else read(data)
        return array if values is None else array.copy(data=values)
    if is_numpy_array(data._meta):
        return array
    meta = np.empty((0,) * array.ndim, data.dtype)
    return array.copy(data=data.map_blocks(read, dtype=data.dtype, meta=meta))


def read(values: Any) -> np.ndarray | None:
    """The values for numpy; None if it cannot read the device they are on."""
    if is_cupy_array(values):
        return np.asarray(values.get())
    for way in (np.asarray, np.from_dlpack):
        with contextlib.suppress(AttributeError, BufferError, RuntimeError, TypeError, ValueError):
            return np.asarray(way(values))
    return None
