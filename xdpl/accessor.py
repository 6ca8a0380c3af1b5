"""The accessor `ds.dpl`: a door to the functions, one line per method."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import xarray as xr

from xdpl.calibrate import calibrate
from xdpl.check import check
from xdpl.cross_validate import cross_validate
from xdpl.learn import learn
from xdpl.pet import pet
from xdpl.regionalise import regionalise
from xdpl.simulate import simulate
from xdpl.spin_up import spin_up
from xdpl.to_table import to_table
from xdpl.to_zarr import to_zarr

if TYPE_CHECKING:
    P = ParamSpec("P")
    R = TypeVar("R")

__all__ = ["DplAccessor"]


def _method(function: Callable[Concatenate[xr.Dataset, P], R]) -> Callable[Concatenate[Any, P], R]:
    """Bind a function of a dataset as a method, with its signature and docstring."""

    @functools.wraps(function)
    def method(self: Any, *args: P.args, **kwargs: P.kwargs) -> R:
        return function(self._obj, *args, **kwargs)

    return method


@xr.register_dataset_accessor("dpl")
class DplAccessor:
    """Differentiable parameter learning on a dataset."""

    __slots__ = ("_obj",)

    def __init__(self, obj: xr.Dataset) -> None:
        self._obj = obj

    calibrate = _method(calibrate)
    check = _method(check)
    cross_validate = _method(cross_validate)
    learn = _method(learn)
    pet = _method(pet)
    regionalise = _method(regionalise)
    simulate = _method(simulate)
    spin_up = _method(spin_up)
    to_table = _method(to_table)
    to_zarr = _method(to_zarr)


@xr.register_datatree_accessor("dpl")
class TreeAccessor:
    """The same for the nodes of a tree that have forcings."""

    __slots__ = ("_obj",)

    def __init__(self, obj: xr.DataTree) -> None:
        self._obj = obj

    pet = _method(pet)
    simulate = _method(simulate)
    spin_up = _method(spin_up)
