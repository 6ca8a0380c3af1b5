"""What the words of printed source mean: on a GPU, and in plain Python."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

__all__ = ["on_device", "plain"]

_FUNCTIONS = (
    *("ceil", "cos", "cosh", "exp", "expm1", "floor", "log", "log10", "log1p", "log2"),
    *("sin", "sinh", "sqrt", "tanh"),
)
_CONSTANTS = {"inf": math.inf, "nan": math.nan}


def on_device(dtype: str) -> dict[str, Any]:
    """Words for numba, which takes the functions of `math` in the dtype of their arguments.

    Parameters
    ----------
    dtype : {"float32", "float64"}
    """
    import numba
    from numba import cuda
    from numba.cuda import libdevice

    return {
        **{name: getattr(math, name) for name in _FUNCTIONS},
        **{"absolute": math.fabs, "power": math.pow, "truncate": math.trunc},
        **{"nearest": libdevice.rintf if dtype == "float32" else libdevice.rint},
        **{"float32": numba.float32, "float64": numba.float64, **_CONSTANTS},
        # Numba counts negative indices from the end, which unsigned ones spare.
        **{"cuda": cuda, "index": numba.uint64},
    }


def plain() -> dict[str, Any]:
    """Words for numbers of numpy: what is undefined is NaN or infinite, as on a device, and no exception."""
    return {
        **{name: getattr(np, name) for name in _FUNCTIONS},
        **{"absolute": np.abs, "power": np.power, "truncate": np.trunc, "nearest": np.round},
        **{"float32": np.float32, "float64": np.float64, **_CONSTANTS},
        **{"cuda": SimpleNamespace(selp=_select), "index": int},
    }


def _select(condition: Any, a: Any, b: Any) -> Any:
    return a if condition else b
