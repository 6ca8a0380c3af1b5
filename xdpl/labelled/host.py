"""Arrays of any device or namespace as those of numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from array_api_compat import is_cupy_array, is_numpy_array

__all__ = ["on_host"]


def on_host(array: xr.DataArray) -> xr.DataArray:
    """The array with values of numpy; lazy blocks stay lazy, numpy is not copied.

    Parameters
    ----------
    array : DataArray
        Without pint units.
    """
    data: Any = array.variable._data
    if array.chunks is None:
        return array if is_numpy_array(data) else array.copy(data=array.to_numpy())
    if is_numpy_array(data._meta):
        return array
    meta = np.empty((0,) * array.ndim, data.dtype)
    return array.copy(data=data.map_blocks(_host, dtype=data.dtype, meta=meta))


def _host(block: Any) -> np.ndarray:
    return np.asarray(block.get() if is_cupy_array(block) else block)
