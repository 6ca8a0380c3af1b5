"""One shape for the arrays of every run: time, member, site."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace

from xdpl.models.base import Model

__all__ = ["Arrays", "Canonical", "Forward", "canonical"]

Array = Any


@dataclass(frozen=True)
class Arrays:
    """What goes into a run, in declared order.

    Parameters
    ----------
    forcings : tuple of array, (time, 1, site)
    parameters : tuple of array, (time or 1, member or 1, site)
    start : tuple of array, (member or 1, site)
        States before the first step.
    steps, members, sites : int
    """

    forcings: tuple[Any, ...]
    parameters: tuple[Any, ...]
    start: tuple[Any, ...]
    steps: int
    members: int
    sites: int


@dataclass(frozen=True)
class Canonical:
    """Arrays of a run, and what they were before.

    Parameters
    ----------
    arrays : Arrays
    moving : frozenset of str
        Parameters that vary in time.
    shape : tuple of int
        Of the sites, before they were flattened.
    dtype : str
        Of all arrays.
    """

    arrays: Arrays
    moving: frozenset[str]
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Forward:
    """What kernels leave of a forward run.

    Parameters
    ----------
    series : tuple of array, (time, member or 1, site)
        A single member where they were averaged.
    final : tuple of array, (member, site)
    checkpoints : array
        States kept for the adjoint.
    tiling : object
        How the run was divided, for its adjoint.
    """

    series: tuple[Any, ...]
    final: tuple[Any, ...]
    checkpoints: Any
    tiling: Any


def canonical(
    model: Model,
    forcings: Mapping[str, Array],
    parameters: Mapping[str, Array],
    initial: Mapping[str, Array] | None,
    members: int | None,
) -> Canonical:
    """Flatten sites, and give every array the dims it lacks; views where possible.

    Parameters
    ----------
    model : Model
    forcings : mapping of str to array, (time, *sites)
    parameters : mapping of str to array, ([time,] [member,] *sites)
    initial : mapping of str to array, ([member,] *sites), optional
    members : int, optional
        Length of the member dim; None without one.
    """
    first = next(iter(forcings.values()))
    xp = array_namespace(first)
    steps, shape = first.shape[0], tuple(first.shape[1:])
    sites = math.prod(shape)
    count = 1 if members is None else members
    still = len(shape) + (members is not None)

    moving = frozenset(name for name, v in parameters.items() if v.ndim > still)
    if initial is None:
        at_start = {k: v[0, ...] if k in moving else v for k, v in parameters.items()}
        initial = model.initial_states(xp, model.pack("parameters", at_start))

    dtype = xp.result_type(*forcings.values(), *parameters.values(), *initial.values())

    def flat(v: Array, *dims: int) -> Array:
        return xp.reshape(xp.astype(v, dtype, copy=False), (*dims, sites))

    arrays = Arrays(
        forcings=tuple(flat(forcings[d.name], steps, 1) for d in model.forcings),
        parameters=tuple(
            flat(parameters[d.name], steps if d.name in moving else 1, count) for d in model.step_parameters
        ),
        start=tuple(flat(initial[d.name], count) for d in model.states),
        steps=steps,
        members=count,
        sites=sites,
    )
    return Canonical(arrays, moving, shape, str(dtype).removeprefix("torch."))
