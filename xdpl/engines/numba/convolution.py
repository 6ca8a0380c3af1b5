"""Convolution with a unit hydrograph and its adjoint, compiled: as `xdpl.routing.convolve`, bit for bit."""

from __future__ import annotations

import ctypes
import functools
import itertools
from typing import Any

import numpy as np

from xdpl.engines.numba import cache, threads
from xdpl.engines.numba.machine import assemble, load

__all__ = ["convolve", "pull"]

# Sites at once: their rows of a whole hydrograph stay in the nearest cache.
_SITES = 256
_PROTOTYPE = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 5, *[ctypes.c_void_p] * 7)


def convolve(series: np.ndarray, weights: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Delay a series.

    Parameters
    ----------
    series : ndarray, (time, site)
    weights : ndarray, (length, site)
    before : ndarray, (length - 1, site)
        All of one floating type and contiguous.

    Returns
    -------
    ndarray, (time, site)
    """
    routed = np.empty_like(series)
    _call(False, (series, weights, before, routed), (None, None, None))
    return routed


def pull(
    series: np.ndarray, weights: np.ndarray, before: np.ndarray, d_routed: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Adjoint of `convolve`: gradients for series, weights and before."""
    d_series, d_weights, d_before = (np.zeros_like(a) for a in (series, weights, before))
    _call(True, (series, weights, before, d_routed), (d_series, d_weights, d_before))
    return d_series, d_weights, d_before


def _call(adjoint: bool, read: tuple[np.ndarray, ...], written: tuple[np.ndarray | None, ...]) -> None:
    series, weights = read[:2]
    (steps, sites), length = series.shape, weights.shape[0]
    kernel = _kernel(adjoint, str(series.dtype))
    addresses = [None if a is None else a.ctypes.data for a in (*read, *written)]

    def task(begin: int, end: int) -> None:
        kernel(begin, end, sites, steps, length, *addresses)

    threads.run(task, list(itertools.pairwise([*range(0, sites, _SITES), sites])))


@functools.cache
def _kernel(adjoint: bool, dtype: str) -> Any:
    entry = cache.key("convolution", adjoint, dtype)
    kept = cache.read(entry)
    if kept is None:
        kept = _compiled(adjoint, dtype)
        cache.write(entry, *kept)
    description, code = kept
    return load(code, description["name"], _PROTOTYPE)


def _compiled(adjoint: bool, dtype: str) -> tuple[dict[str, Any], bytes]:
    # Imported here: a kernel from disk does without.
    import numba
    from numba import types

    from xdpl.engines.numba.convolution_loops import backward, forward

    number = types.CPointer(getattr(types, dtype))
    signature = types.void(*[types.int64] * 5, *[number] * 7)
    # No fastmath: sums keep their order, and products their rounding.
    kernel = numba.cfunc(signature, error_model="numpy")(backward if adjoint else forward)
    return {"name": kernel.native_name}, assemble(kernel.inspect_llvm())
