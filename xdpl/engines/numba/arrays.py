"""Arrays of a run as kernels take them: addresses and strides, no copies where they can be avoided."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xdpl.engines.canonical import Arrays

__all__ = ["Tables", "adjacent", "aligned", "side_by_side"]

_CACHE_LINE = 64


class Tables:
    """Tables of addresses for one call of a kernel, which keep their arrays alive.

    Parameters
    ----------
    groups : sequence of sequence of ndarray or None
        Arrays with (time or 1, member or 1, site); sites lie side by side in
        memory. None for zeros to read, or nothing to write.
    """

    def __init__(self, groups: Sequence[Sequence[np.ndarray | None]]) -> None:
        self._arrays = groups
        self._tables = [np.array([_entry(a) for a in group], dtype=np.int64) for group in groups]
        pointers = [t.ctypes.data for t in self._tables]
        self.address = (ctypes.c_void_p * len(pointers))(*pointers)


def _entry(a: np.ndarray | None) -> tuple[int, int, int]:
    if a is None:
        return 0, 0, 0
    time, member, _ = a.strides
    return a.ctypes.data, time if a.shape[0] > 1 else 0, member if a.shape[1] > 1 else 0


def side_by_side(a: np.ndarray, dtype: Any) -> np.ndarray:
    """The array with its sites adjacent in memory; a copy only where they are not."""
    if a.dtype == dtype and (a.shape[-1] == 1 or a.strides[-1] == a.itemsize):
        return a
    return np.ascontiguousarray(a, dtype)


def adjacent(arrays: Arrays, dtype: Any) -> Arrays:
    """The arrays of a run with the sites of each side by side."""

    def moved(group: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        return tuple(side_by_side(a, dtype) for a in group)

    return replace(
        arrays,
        forcings=moved(arrays.forcings),
        parameters=moved(arrays.parameters),
        start=moved(arrays.start),
    )


def aligned(size: int, dtype: Any) -> np.ndarray:
    """Uninitialised numbers that begin at a cache line, as rows of vectors should."""
    itemsize = np.dtype(dtype).itemsize
    raw = np.empty(size * itemsize + _CACHE_LINE, np.uint8)
    skip = -raw.ctypes.data % _CACHE_LINE
    return raw[skip : skip + size * itemsize].view(dtype)
