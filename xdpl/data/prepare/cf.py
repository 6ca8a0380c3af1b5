"""CF attributes of the prepared datasets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Variable", "f4", "flag", "lat", "lon", "time", "variable"]

Variable = tuple[str | Sequence[str], Any, dict[str, Any]]


def f4(values: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Values as 32-bit floats."""
    return np.asarray(values, "f4")


def variable(
    dims: str | Sequence[str], values: Any, units: str, long_name: str, standard_name: str = "", **attrs: Any
) -> Variable:
    """Dimensions, values and CF attributes; an empty standard name is left out."""
    named = {"standard_name": standard_name} if standard_name else {}
    return dims, values, {"units": units, "long_name": long_name, **named, **attrs}


def flag(dim: str, values: npt.ArrayLike, long_name: str, meanings: str) -> Variable:
    """Make a 0/1 flag with the CF attributes of its two meanings."""
    made = variable(dim, np.asarray(values).astype("i1"), "1", long_name, flag_meanings=meanings)
    made[2]["flag_values"] = np.array([0, 1], "i1")
    return made


def lat(dims: str | Sequence[str], values: npt.ArrayLike) -> Variable:
    """Latitude coordinate [degrees_north]."""
    return variable(dims, np.asarray(values, "f8"), "degrees_north", "latitude", "latitude")


def lon(dims: str | Sequence[str], values: npt.ArrayLike) -> Variable:
    """Longitude coordinate [degrees_east]."""
    return variable(dims, np.asarray(values, "f8"), "degrees_east", "longitude", "longitude")


def time(values: Any, **attrs: Any) -> Variable:
    """Time coordinate."""
    return "time", values, {"standard_name": "time", "axis": "T", **attrs}
