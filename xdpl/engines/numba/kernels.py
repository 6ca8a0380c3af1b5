"""Compiled kernels, from memory, from disk, or made."""

from __future__ import annotations

import ctypes
import dataclasses
import os
import threading
from dataclasses import dataclass
from typing import Any

from xdpl.engines.numba import cache
from xdpl.engines.numba.machine import load
from xdpl.engines.numba.shape import Shape
from xdpl.engines.tracing.order import Order, graphs

__all__ = ["Kernel", "kernel"]

_PROTOTYPE = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 8, *[ctypes.c_void_p] * 3)


@dataclass(frozen=True)
class Kernel:
    """A compiled kernel.

    Parameters
    ----------
    call : ctypes function
        Takes tiles from, to; sites, steps, members, rows; states kept every so many
        steps, whether members are averaged; addresses of tables, checkpoints and
        scratch buffer.
    shape : Shape
    """

    call: Any
    shape: Shape


_kernels: dict[Order, Kernel] = {}
_lock = threading.Lock()


def _renew_lock() -> None:
    """A forked process must not wait for a thread that was not copied."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def kernel(order: Order) -> Kernel:
    """The kernel of an order, compiled at most once."""
    found = _kernels.get(order)
    if found is None:
        with _lock:
            found = _kernels.get(order) or _kernels.setdefault(order, _make(order))
    return found


def _make(order: Order) -> Kernel:
    entry = cache.key(
        order.step.graph.digest,
        order.step.series,
        order.dtype,
        sorted(order.moving),
        order.backward,
        order.forcings,
    )
    kept = cache.read(entry)
    if kept is None:
        # numba and torch are imported here: a kernel from disk does without them.
        from xdpl.engines.numba.compile import compile_kernel

        made = graphs(order, keeping=True)
        shape = Shape.of(order, made)
        code, name = compile_kernel(made, shape)
        kept = {"name": name, "shape": dataclasses.asdict(shape)}, code
        cache.write(entry, *kept)
    description, code = kept
    return Kernel(load(code, description["name"], _PROTOTYPE), Shape(**description["shape"]))
