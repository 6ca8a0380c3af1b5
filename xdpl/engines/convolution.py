"""The convolution of fused engines: compiled on the CPU, where PyTorch differentiates it too."""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_numpy_array, is_torch_array

from xdpl.routing.convolution import convolve as plain
from xdpl.routing.convolution import last

__all__ = ["convolve"]

Array = Any


def convolve(xp: Any, series: Array, weights: Array, before: Array) -> tuple[Array, Array]:
    """As `xdpl.routing.convolve`, and compiled where a kernel for the arrays exists."""
    if not _compiled(series, weights, before):
        return plain(xp, series, weights, before)
    shape = series.shape[1:]
    flat = [_flat(a, shape) for a in (series, weights, before)]
    after = last(xp, series, before)
    if is_torch_array(series):
        from xdpl.engines.differentiable_convolution import apply

        return xp.reshape(apply(*flat), series.shape), after
    from xdpl.engines.numba.convolution import convolve as run

    # A copy: a view would keep the whole series in memory.
    return xp.reshape(run(*map(np.ascontiguousarray, flat)), series.shape), after.copy()


def _compiled(*arrays: Array) -> bool:
    kinds = {str(a.dtype).removeprefix("torch.") for a in arrays}
    if len(kinds) > 1 or not kinds <= {"float32", "float64"}:
        return False
    return all(is_numpy_array(a) or (is_torch_array(a) and a.device.type == "cpu") for a in arrays)


def _flat(a: Array, shape: tuple[int, ...]) -> Array:
    """An array (lead, ...) over all of `shape`, flattened to two axes."""
    xp = array_namespace(a)
    size = 1
    for n in shape:
        size *= n
    return xp.reshape(xp.broadcast_to(a, (a.shape[0], *shape)), (a.shape[0], size))
