"""Square root whose value and gradient stay finite at zero."""

from __future__ import annotations

from typing import Any

import array_api_compat

__all__ = ["safe_sqrt"]

Array = Any


def safe_sqrt(x: Array) -> Array:
    """Square root of `x`; 0 with zero gradient where x <= 0, NaN where x is NaN.

    Parameters
    ----------
    x : array
        Any units.

    Returns
    -------
    array
        Of the shape of `x`, in the root of its units.
    """
    xp = array_api_compat.array_namespace(x)
    above = x > 0
    # 0·x and not 0, so that missing values stay missing.
    return xp.where(above, xp.sqrt(xp.where(above, x, xp.ones_like(x))), 0.0 * x)
