"""Kernels by order: compiled once in a process, when they are first asked for."""

from __future__ import annotations

import functools
import hashlib
import linecache
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xdpl.engines.cuda.layout import Arguments
from xdpl.engines.cuda.loops import NAME, kernel_source
from xdpl.engines.cuda.words import on_device, plain
from xdpl.engines.tracing.order import Order, graphs

__all__ = ["Kernel", "function", "kernel", "simulated"]

_QUIET = f"""
def quiet(*arguments):
    with errstate(all="ignore"):
        {NAME}(*arguments)
"""

_kernels: dict[tuple[Order, object], Kernel] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Kernel:
    """A kernel that can be launched.

    Parameters
    ----------
    launch : object
        What `numba.cuda.jit` gives; it compiles at the first launch.
    arguments : Arguments
    source : str
    """

    launch: Any
    arguments: Arguments
    source: str


def kernel(order: Order) -> Kernel:
    """The kernel of an order for the current device.

    Raises
    ------
    ImportError
        Without a numba that knows CUDA.
    """
    from numba import cuda

    device = None if simulated() else cuda.get_current_device().compute_capability
    with _lock:
        key = (order, device)
        if key not in _kernels:
            made, arguments, source = function(order)
            _kernels[key] = Kernel(cuda.jit(made), arguments, source)
        return _kernels[key]


def function(order: Order) -> tuple[Callable[..., None], Arguments, str]:
    """The kernel of an order as a Python function, not yet compiled.

    Parameters
    ----------
    order : Order

    Returns
    -------
    function : callable
    arguments : Arguments
    source : str
        That of the function; tracebacks and debuggers show its lines.
    """
    source, arguments = kernel_source(order, graphs(order))
    name = f"<xdpl kernel {hashlib.sha256(source.encode()).hexdigest()[:16]}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    words = on_device(order.dtype)
    if simulated():
        # The simulator runs plain Python; numpy must not warn of what a device does in silence.
        words = {**plain(), "cuda": words["cuda"], "errstate": np.errstate}
    exec(compile(source, name, "exec"), words)
    if not simulated():
        return words[NAME], arguments, source
    exec(_QUIET, words)
    return words["quiet"], arguments, source


@functools.cache
def simulated() -> bool:
    """Whether numba simulates the device (`NUMBA_ENABLE_CUDASIM`)."""
    import numba

    return bool(getattr(numba.config, "ENABLE_CUDASIM", False))
