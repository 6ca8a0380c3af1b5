"""Convolution with a unit hydrograph and its adjoint, compiled: as `xdpl.routing.convolve`, bit for bit."""

from __future__ import annotations

import ctypes
import functools
import itertools
from typing import Any

import numpy as np
from numba import carray

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


def _call(backward: bool, read: tuple[np.ndarray, ...], written: tuple[np.ndarray | None, ...]) -> None:
    series, weights = read[:2]
    (steps, sites), length = series.shape, weights.shape[0]
    kernel = _kernel(backward, str(series.dtype))
    addresses = [None if a is None else a.ctypes.data for a in (*read, *written)]

    def task(begin: int, end: int) -> None:
        kernel(begin, end, sites, steps, length, *addresses)

    threads.run(task, list(itertools.pairwise([*range(0, sites, _SITES), sites])))


@functools.cache
def _kernel(backward: bool, dtype: str) -> Any:
    entry = cache.key("convolution", backward, dtype)
    kept = cache.read(entry)
    if kept is None:
        kept = _compiled(backward, dtype)
        cache.write(entry, *kept)
    description, code = kept
    return load(code, description["name"], _PROTOTYPE)


def _compiled(backward: bool, dtype: str) -> tuple[dict[str, Any], bytes]:
    import numba
    from numba import types

    number = types.CPointer(getattr(types, dtype))
    signature = types.void(*[types.int64] * 5, *[number] * 7)
    # No fastmath: sums keep their order, and products their rounding.
    kernel = numba.cfunc(signature, error_model="numpy")(_backward if backward else _forward)
    return {"name": kernel.native_name}, assemble(kernel.inspect_llvm())


# Slices and loops from zero: an index that might be negative keeps the compiler from using vectors.
def _forward(begin, end, sites, steps, length, series, weights, before, routed, _0, _1, _2):  # type: ignore[no-untyped-def]
    x, y = carray(series, (steps, sites))[:, begin:end], carray(routed, (steps, sites))[:, begin:end]
    w, b = carray(weights, (length, sites))[:, begin:end], carray(before, (length - 1, sites))[:, begin:end]
    for t in range(steps):
        out = y[t]
        share, row = w[0], x[t]
        for i in range(end - begin):
            out[i] = share[i] * row[i]
        for k in range(1, length):
            share, row = w[k], x[t - k] if t >= k else b[length - 1 + t - k]
            for i in range(end - begin):
                out[i] += share[i] * row[i]


def _backward(begin, end, sites, steps, length, series, weights, before, d_routed, d_x, d_w, d_b):  # type: ignore[no-untyped-def]
    x, d_series = carray(series, (steps, sites))[:, begin:end], carray(d_x, (steps, sites))[:, begin:end]
    w, d_weights = carray(weights, (length, sites))[:, begin:end], carray(d_w, (length, sites))[:, begin:end]
    b, d_before = (
        carray(before, (length - 1, sites))[:, begin:end],
        carray(d_b, (length - 1, sites))[:, begin:end],
    )
    g = carray(d_routed, (steps, sites))[:, begin:end]
    for t in range(steps):
        given = g[t]
        for k in range(length):
            early = t < k
            at = length - 1 + t - k if early else t - k
            row, d_row = (b[at], d_before[at]) if early else (x[at], d_series[at])
            share, d_share = w[k], d_weights[k]
            for i in range(end - begin):
                d_row[i] += share[i] * given[i]
            for i in range(end - begin):
                d_share[i] += row[i] * given[i]
