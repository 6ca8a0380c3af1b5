"""One floating type for all arrays of a run, in any namespace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from array_api_compat import array_namespace

__all__ = ["as_type", "cast", "common_type", "type_name"]

_FLOATS = ("float16", "float32", "float64")


def common_type(arrays: Iterable[xr.DataArray]) -> np.dtype[Any]:
    """The widest floating type among the arrays; integers count as float64."""
    names = [type_name(a) for a in arrays]
    return np.result_type(*(n if n in _FLOATS else "float64" for n in names))


def cast(arrays: Mapping[str, xr.DataArray], dtype: np.dtype[Any]) -> dict[str, xr.DataArray]:
    """Arrays of one floating type; those that have it are not copied."""
    return {k: as_type(a, dtype) for k, a in arrays.items()}


def as_type(array: xr.DataArray, dtype: np.dtype[Any]) -> xr.DataArray:
    """An array of a floating type; not copied if it has it."""
    if type_name(array) == dtype.name:
        return array
    data: Any = array.data
    present: Any = array.dtype
    if isinstance(present, np.dtype):
        return array.astype(dtype)
    xp = array_namespace(data)
    return array.copy(data=xp.astype(data, getattr(xp, dtype.name)))


def type_name(array: xr.DataArray) -> str:
    """Name of the type of an array, such as ``"float64"``, in any namespace."""
    # Not every namespace has dtypes of numpy.
    return str(array.dtype).rpartition(".")[2]
