"""One floating type for all arrays of a run, in any namespace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from array_api_compat import array_namespace

__all__ = ["cast", "common_type"]

_FLOATS = ("float16", "float32", "float64")


def common_type(arrays: Iterable[xr.DataArray]) -> np.dtype[Any]:
    """The widest floating type among the arrays; integers count as float64."""
    names = [_name(a) for a in arrays]
    return np.result_type(*(n if n in _FLOATS else "float64" for n in names))


def cast(arrays: Mapping[str, xr.DataArray], dtype: np.dtype[Any]) -> dict[str, xr.DataArray]:
    """Arrays of one floating type; those that have it are not copied."""
    return {k: a if _name(a) == dtype.name else _cast(a, dtype) for k, a in arrays.items()}


def _name(array: xr.DataArray) -> str:
    # Not every namespace has dtypes of numpy.
    return str(array.dtype).rpartition(".")[2]


def _cast(array: xr.DataArray, dtype: np.dtype[Any]) -> xr.DataArray:
    data: Any = array.data
    present: Any = array.dtype
    if isinstance(present, np.dtype):
        return array.astype(dtype)
    xp = array_namespace(data)
    return array.copy(data=xp.astype(data, getattr(xp, dtype.name)))
