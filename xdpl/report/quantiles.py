"""The middle and the tenths of sites."""

from __future__ import annotations

import numpy as np
import xarray as xr

__all__ = ["spread"]


def spread(array: xr.DataArray) -> list[float]:
    """Median, 10 % and 90 % quantile of the known values; NaN where none is."""
    known = array.values[np.isfinite(array.values)]
    return np.quantile(known, [0.5, 0.1, 0.9]).tolist() if known.size else [np.nan] * 3
