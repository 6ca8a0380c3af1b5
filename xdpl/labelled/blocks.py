"""Labelled arrays to engine arrays and back, one block of sites at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from array_api_compat import array_namespace

from xdpl import engines
from xdpl.errors import Problems

if TYPE_CHECKING:
    from xdpl.models import Model

__all__ = ["apply"]

Array = Any


def apply(
    model: Model,
    forcings: Mapping[str, xr.DataArray],
    parameters: Mapping[str, xr.DataArray],
    initial: Mapping[str, xr.DataArray] | None,
    outputs: Sequence[str],
    *,
    engine: str | None = None,
    progress: bool = False,
) -> tuple[xr.DataArray, ...]:
    """Run a model over labelled arrays, whatever their dimensions.

    Parameters
    ----------
    model : Model
    forcings : mapping of str to DataArray, (time, ...)
    parameters : mapping of str to DataArray, (...) or (time, ...)
    initial : mapping of str to DataArray, (...), optional
    outputs : sequence of str
    engine : str, optional
    progress : bool
        Show a bar.

    Returns
    -------
    tuple of DataArray
        In the order of `outputs`; time is the last dimension.
    """
    start = dict(initial or {})
    arrays = [*forcings.values(), *parameters.values(), *start.values()]
    timed = ["time" in a.dims for a in arrays]
    names = (list(forcings), list(parameters), list(start))

    def block(*values: Array) -> Array | tuple[Array, ...]:
        series = _run(model, names, values, timed, outputs, engine, progress)
        return series if len(series) > 1 else series[0]

    result = xr.apply_ufunc(
        block,
        *arrays,
        input_core_dims=[["time"] if t else [] for t in timed],
        output_core_dims=[["time"]] * len(outputs),
        dask="parallelized",
        output_dtypes=[next(iter(forcings.values())).dtype] * len(outputs),
        keep_attrs=False,
    )
    return result if isinstance(result, tuple) else (result,)


def _run(
    model: Model,
    names: tuple[list[str], list[str], list[str]],
    values: Sequence[Array],
    timed: Sequence[bool],
    outputs: Sequence[str],
    engine: str | None,
    progress: bool,
) -> tuple[Array, ...]:
    """Run one block: arrays (..., time) or (...) in, series (..., time) out."""
    xp = array_namespace(values[0])
    shape = np.broadcast_shapes(*(v.shape[:-1] if t else v.shape for v, t in zip(values, timed, strict=True)))
    flat = [_flatten(xp, v, t, shape) for v, t in zip(values, timed, strict=True)]
    n_forcings, n_parameters = len(names[0]), len(names[1])
    keep = _complete(xp, names[0], flat[:n_forcings], flat[n_forcings:])
    length = values[0].shape[-1]
    if not bool(xp.any(keep)):
        return tuple(xp.full((*shape, length), math.nan, dtype=values[0].dtype) for _ in outputs)

    everywhere = bool(xp.all(keep))
    if not everywhere:
        index = xp.nonzero(keep)[0]
        flat = [xp.take(v, index, axis=v.ndim - 1) for v in flat]
    series, _ = engines.run(
        engine,
        model,
        dict(zip(names[0], flat, strict=False)),
        dict(zip(names[1], flat[n_forcings:], strict=False)),
        initial=dict(zip(names[2], flat[n_forcings + n_parameters :], strict=True)) or None,
        outputs=outputs,
        progress=progress,
    )
    if everywhere:
        return tuple(_unflatten(xp, series[k], shape) for k in outputs)
    # A gather and a selection instead of an indexed write, which the array API lacks.
    position = xp.cumulative_sum(xp.astype(keep, xp.int64)) - 1
    position = xp.where(keep, position, 0)
    return tuple(
        _unflatten(xp, xp.where(keep, xp.take(series[k], position, axis=1), math.nan), shape) for k in outputs
    )


def _flatten(xp: Any, v: Array, timed: bool, shape: tuple[int, ...]) -> Array:
    if not timed:
        return xp.reshape(xp.broadcast_to(v, shape), (-1,))
    v = xp.moveaxis(v, -1, 0)
    v = xp.reshape(v, (v.shape[0],) + (1,) * (len(shape) + 1 - v.ndim) + v.shape[1:])
    return xp.reshape(xp.broadcast_to(v, (v.shape[0], *shape)), (v.shape[0], -1))


def _unflatten(xp: Any, v: Array, shape: tuple[int, ...]) -> Array:
    return xp.moveaxis(xp.reshape(v, (v.shape[0], *shape)), 0, -1)


def _complete(xp: Any, names: Sequence[str], forcings: Sequence[Array], rest: Sequence[Array]) -> Array:
    """Sites to compute: false where a forcing is NaN throughout or a parameter is NaN.

    Raises
    ------
    InputErrors
        If a forcing has gaps at a site where it is not NaN throughout.
    """
    problems = Problems("simulate")
    keep = xp.ones(forcings[0].shape[1:], dtype=xp.bool)
    for name, v in zip(names, forcings, strict=True):
        # One pass where there is nothing to complain of: a sum is finite only if all values are.
        if bool(xp.all(xp.isfinite(xp.sum(v, axis=0)))):
            continue
        missing = xp.isnan(v)
        never = xp.all(missing, axis=0)
        gaps = xp.any(missing, axis=0) & ~never
        if bool(xp.any(gaps)):
            problems.add(
                name,
                expected="no gaps in time (a site may be NaN throughout)",
                got=f"NaN at some times at {int(xp.sum(xp.astype(gaps, xp.int64)))} of {v.shape[1]} sites",
                fix='fill them, for example with .interpolate_na("time"), or mask the whole site with .where',
            )
        if bool(xp.any(xp.isinf(v))):
            problems.add(
                name,
                expected="finite values, or NaN throughout a site",
                got="infinite values",
                fix="mask the whole site with .where, or repair them",
            )
        keep = keep & ~never
    problems.raise_if_any()
    for v in rest:
        missing = xp.isnan(v)
        keep = keep & ~(xp.any(missing, axis=0) if v.ndim > 1 else missing)
    return keep
