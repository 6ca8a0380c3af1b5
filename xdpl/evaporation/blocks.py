"""Apply a formula to labelled arrays, block by block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import array_api_compat
import numpy as np
import xarray as xr

__all__ = ["apply_by_block"]

# Angles need double precision whatever the dtype of the forcing.
_DOUBLE = ("latitude", "day_of_year")


def apply_by_block(
    formula: Callable[[Mapping[str, Any]], Any], arrays: Mapping[str, xr.Variable]
) -> xr.Variable:
    """Apply a formula to variables by name; dask variables stay lazy.

    Parameters
    ----------
    formula : callable
        Takes a mapping of name to array; elementwise.
    arrays : mapping of str to Variable
        In the units of the formula. The first gives dtype and dim order.

    Returns
    -------
    Variable
        Without attributes.
    """
    first = next(iter(arrays.values()))
    # Not every namespace has dtypes of numpy.
    name = str(first.dtype).rpartition(".")[2]
    name = name if name.startswith("float") else "float64"

    def block(*values: Any) -> Any:
        xp = array_api_compat.array_namespace(values[0])
        device = array_api_compat.device(values[0])
        cast = {
            key: xp.asarray(value, dtype=getattr(xp, "float64" if key in _DOUBLE else name), device=device)
            for key, value in zip(arrays, values, strict=True)
        }
        return formula(cast)

    result: xr.Variable = xr.apply_ufunc(
        block, *arrays.values(), dask="parallelized", output_dtypes=[np.dtype(name)], keep_attrs=False
    )
    return result
