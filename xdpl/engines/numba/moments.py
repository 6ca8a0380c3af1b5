"""Sums over time that compare many simulated series with an observed one, compiled."""

from __future__ import annotations

import ctypes
import functools
import itertools
from typing import Any

import numpy as np

from xdpl.engines.numba import cache, threads
from xdpl.engines.numba.machine import assemble, load

__all__ = ["moments"]

# Sites at once: their sums stay in the nearest cache.
_SITES = 256
_PROTOTYPE = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 7, *[ctypes.c_void_p] * 5)


def moments(
    series: np.ndarray, observed: np.ndarray, weight: np.ndarray, centre: np.ndarray, *, whole: bool
) -> np.ndarray:
    """Sums over time, in double precision.

    Parameters
    ----------
    series : ndarray, (time, member, site)
        Single or double precision, contiguous.
    observed, weight : ndarray of float64, (time, site)
        Finite; a weight of 0 leaves a step out.
    centre : ndarray of float64, (site,)
        Taken off both series before products are summed, so that they keep their digits.
    whole : bool
        Whether more is wanted than the squares of differences.

    Returns
    -------
    ndarray, (4, member, site)
        Of squared differences; and, zero unless `whole`, of the simulated, its square and
        its product with the observed.
    """
    steps, members, sites = series.shape
    sums = np.zeros((4, members, sites))
    kernel = _kernel(str(series.dtype))
    addresses = [a.ctypes.data for a in (series, observed, weight, centre, sums)]

    def task(begin: int, end: int) -> None:
        kernel(begin, end, _SITES, sites, steps, members, int(whole), *addresses)

    count = members * -(-sites // _SITES)
    number = max(1, min(count, 4 * threads.count()))
    edges = [i * count // number for i in range(number + 1)]
    threads.run(task, list(itertools.pairwise(edges)))
    return sums


@functools.cache
def _kernel(dtype: str) -> Any:
    entry = cache.key("moments", dtype)
    kept = cache.read(entry)
    if kept is None:
        kept = _compiled(dtype)
        cache.write(entry, *kept)
    description, code = kept
    return load(code, description["name"], _PROTOTYPE)


def _compiled(dtype: str) -> tuple[dict[str, Any], bytes]:
    # Imported here: a kernel from disk does without.
    import numba
    from numba import types

    from xdpl.engines.numba.moments_loops import moments as loops

    numbers, doubles = types.CPointer(getattr(types, dtype)), types.CPointer(types.float64)
    signature = types.void(*[types.int64] * 7, numbers, *[doubles] * 4)
    kernel = numba.cfunc(signature, error_model="numpy")(loops)
    return {"name": kernel.native_name}, assemble(kernel.inspect_llvm())
