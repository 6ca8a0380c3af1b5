"""Engines `numba` and `cuda`: a run as one kernel, on arrays of numpy, cupy or torch."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from array_api_compat import is_numpy_array, is_torch_array

from xdpl.engines.canonical import canonical
from xdpl.engines.tracing.order import Order
from xdpl.engines.tracing.trace import step_of
from xdpl.models.base import Model

__all__ = ["kernels_for", "run"]

Array = Any


def run(
    model: Model,
    forcings: Mapping[str, Array],
    parameters: Mapping[str, Array],
    *,
    initial: Mapping[str, Array] | None = None,
    outputs: Sequence[str] = (),
    members: int | None = None,
    average: bool = True,
    progress: bool = False,
    every: int | None = None,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Run a model; arguments and result as in `xdpl.engines.array.run`.

    Parameters
    ----------
    every : int, optional
        For tensors that require a gradient: steps between the states kept for it,
        those between being run again. 1 keeps all; None chooses.

    Raises
    ------
    UnsupportedOperation
        If the step does what kernels cannot.
    """
    c = canonical(model, forcings, parameters, initial, members)
    order = Order(step_of(model, tuple(outputs)), c.dtype, c.moving)
    first = c.arrays.forcings[0]
    if is_torch_array(first):
        # torch is imported here: a run on numpy arrays does without it.
        from xdpl.engines.differentiable import apply

        series, final = apply(order, c.arrays, average=average, every=every, progress=progress)
    else:
        kernels = kernels_for(first)
        result = kernels.forward(order, c.arrays, average=average, progress=progress)
        series, final = result.series, result.final
    dims = () if members is None else (members,)
    kept = () if average else dims
    return (
        {k: v.reshape((c.arrays.steps, *kept, *c.shape)) for k, v in zip(outputs, series, strict=True)},
        {s.name: v.reshape((*dims, *c.shape)) for s, v in zip(model.states, final, strict=True)},
    )


def kernels_for(array: Array) -> ModuleType:
    """The module that runs kernels where an array lies."""
    on_cpu = is_numpy_array(array) or (is_torch_array(array) and array.device.type == "cpu")
    return importlib.import_module(f"xdpl.engines.{'numba' if on_cpu else 'cuda'}.run")
