"""What differs between the libraries whose arrays kernels take: torch, cupy and, in the simulator, numpy."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from xdpl.engines.cuda.kernels import simulated

__all__ = ["Library", "library_of"]

Array = Any


class Library:
    """Operations on arrays of one library, this one of numpy.

    Parameters
    ----------
    xp : module
    like : array
        Says on which device arrays are made.
    """

    def __init__(self, xp: Any, like: Array) -> None:
        self.xp = xp
        self.like = like

    def empty(self, shape: Sequence[int], dtype: str) -> Array:
        """Uninitialised numbers."""
        return self.xp.empty(tuple(shape), dtype=dtype)

    def zeros(self, shape: Sequence[int], dtype: str) -> Array:
        """Zeros."""
        return self.xp.zeros(tuple(shape), dtype=dtype)

    def copy(self, a: Array, shape: Sequence[int]) -> Array:
        """A copy with lengths of 1 repeated."""
        return self.xp.broadcast_to(a, tuple(shape)).copy()

    def mean(self, a: Array) -> Array:
        """Mean over the second dim, which stays with length 1."""
        return a.mean(axis=1, keepdims=True)

    def sum(self, a: Array) -> Array:
        """Sum over the second dim, which stays with length 1."""
        return a.sum(axis=1, keepdims=True)

    def strides(self, a: Array) -> tuple[int, ...]:
        """Strides as numbers of elements."""
        return tuple(s // a.itemsize for s in a.strides)

    def contiguous(self, a: Array, dtype: str) -> Array:
        """The array, or a copy of the dtype and in one piece."""
        return self.xp.ascontiguousarray(a, dtype=dtype)

    def dtype(self, a: Array) -> str:
        """Name of the dtype."""
        return str(a.dtype)

    def adjacent(self, a: Array, dtype: str) -> Array:
        """The array with its sites (the last dim) adjacent in memory; a copy only where they are not."""
        strides = self.strides(a)
        side_by_side = a.shape[-1] <= 1 or strides[-1] == 1
        if self.dtype(a) == dtype and side_by_side and min(strides) >= 0:
            return a
        return self.contiguous(a, dtype)

    def device(self) -> contextlib.AbstractContextManager[Any]:
        """Makes the device of the arrays the present one of their library."""
        return contextlib.nullcontext()

    def number(self) -> int:
        """Number of that device."""
        return 0

    def stream(self) -> int:
        """Address of the caller's stream; 0 for the default one."""
        return 0

    def view(self, a: Array) -> Any:
        """One-dimensional view for a kernel, from the first to the last element in memory."""
        return _fake(a, self._length(a))

    def _length(self, a: Array) -> int:
        if 0 in a.shape:
            return 0
        return 1 + sum((n - 1) * s for n, s in zip(a.shape, self.strides(a), strict=True))


class _Cupy(Library):
    """The same for arrays on a GPU."""

    def device(self) -> contextlib.AbstractContextManager[Any]:
        """Makes the device of the arrays the present one of their library."""
        device: contextlib.AbstractContextManager[Any] = self.like.device
        return device

    def number(self) -> int:
        """Number of that device."""
        return int(self.like.device.id)

    def stream(self) -> int:
        """Address of the caller's stream; 0 for the default one."""
        return int(self.xp.cuda.get_current_stream().ptr)

    def view(self, a: Array) -> Any:
        """One-dimensional view for a kernel, from the first to the last element in memory."""
        return _view(a, a.data.ptr, self._length(a), a.dtype.str)


class _Torch(Library):
    """The same for tensors."""

    def empty(self, shape: Sequence[int], dtype: str) -> Array:
        """Uninitialised numbers."""
        return self.xp.empty(tuple(shape), dtype=getattr(self.xp, dtype), device=self.like.device)

    def zeros(self, shape: Sequence[int], dtype: str) -> Array:
        """Zeros."""
        return self.xp.zeros(tuple(shape), dtype=getattr(self.xp, dtype), device=self.like.device)

    def copy(self, a: Array, shape: Sequence[int]) -> Array:
        """A copy with lengths of 1 repeated."""
        return a.detach().expand(*shape).clone(memory_format=self.xp.contiguous_format)

    def mean(self, a: Array) -> Array:
        """Mean over the second dim, which stays with length 1."""
        return a.mean(dim=1, keepdim=True)

    def sum(self, a: Array) -> Array:
        """Sum over the second dim, which stays with length 1."""
        return a.sum(dim=1, keepdim=True)

    def strides(self, a: Array) -> tuple[int, ...]:
        """Strides as numbers of elements."""
        return tuple(a.stride())

    def contiguous(self, a: Array, dtype: str) -> Array:
        """The array, or a copy of the dtype and in one piece."""
        return a.detach().to(getattr(self.xp, dtype)).contiguous()

    def dtype(self, a: Array) -> str:
        """Name of the dtype."""
        return str(a.dtype).removeprefix("torch.")

    def device(self) -> contextlib.AbstractContextManager[Any]:
        """Makes the device of the tensors the present one of torch."""
        if simulated():
            return contextlib.nullcontext()
        device: contextlib.AbstractContextManager[Any] = self.xp.cuda.device(self.like.device)
        return device

    def number(self) -> int:
        """Number of that device."""
        return int(self.like.device.index or 0)

    def stream(self) -> int:
        """Address of the caller's stream; 0 for the default one."""
        return 0 if simulated() else int(self.xp.cuda.current_stream(self.like.device).cuda_stream)

    def view(self, a: Array) -> Any:
        """One-dimensional view for a kernel, from the first to the last element in memory."""
        if simulated():
            return _fake(a.detach().numpy(), self._length(a))
        kind = {"float32": "<f4", "float64": "<f8"}[self.dtype(a)]
        return _view(a, a.data_ptr(), self._length(a), kind)


def library_of(a: Array) -> Library:
    """The library of an array.

    Raises
    ------
    TypeError
        If the array is not on a GPU.
    """
    name = type(a).__module__.partition(".")[0]
    if name == "torch" and (a.is_cuda or simulated()):
        import torch

        return _Torch(torch, a)
    if name == "cupy":
        import cupy

        return _Cupy(cupy, a)
    if isinstance(a, np.ndarray) and simulated():
        return Library(np, a)
    msg = f"kernels for GPUs take tensors and cupy arrays on a GPU, not {type(a).__name__}"
    raise TypeError(msg)


class _Interface:
    """The memory of an array, which it keeps alive, as a contiguous line of numbers."""

    def __init__(self, owner: Array, address: int, length: int, kind: str) -> None:
        self._owner = owner
        self.__cuda_array_interface__ = {
            "shape": (length,),
            "strides": None,
            "typestr": kind,
            "data": (address, False),
            "version": 3,
        }


def _view(owner: Array, address: int, length: int, kind: str) -> Any:
    from numba import cuda

    return cuda.as_cuda_array(_Interface(owner, address, length, kind))


def _fake(a: np.ndarray, length: int) -> Any:
    from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

    # Given a numpy array, the simulator would copy all of it in and out again.
    return FakeCUDAArray(np.lib.stride_tricks.as_strided(a, (length,), (a.itemsize,)))
