"""One block of a run: arrays of any dims as (time, member, site), and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from xdpl.errors import Problems

__all__ = ["Flat", "flatten"]

Array = Any


@dataclass(frozen=True)
class Flat:
    """Arrays that an engine takes, of the sites that can run.

    Parameters
    ----------
    forcings : dict of str to array, (time, site)
    parameters : dict of str to array, ([time,] [member,] site)
    start : dict of str to array, ([member,] site)
        States before the first step; empty if the model has its own.
    members : int or None
        Length of the member axis; None without one.
    sites, extra : tuple of int
        Shape of the site dims and of the member dims in the block.
    kept : array of bool, (site,), or None
        Sites that run; None if all do.
    defined : array of bool, ([member,] site), or None
        Where no parameter and no state is NaN; None if that is everywhere.
    """

    forcings: dict[str, Array]
    parameters: dict[str, Array]
    start: dict[str, Array]
    members: int | None
    sites: tuple[int, ...]
    extra: tuple[int, ...]
    kept: Array | None
    defined: Array | None

    @property
    def steps(self) -> int:
        """Number of time steps."""
        return int(next(iter(self.forcings.values())).shape[0])

    @property
    def empty(self) -> bool:
        """Whether no site can run."""
        return int(next(iter(self.forcings.values())).shape[1]) == 0

    def series(self, v: Array) -> Array:
        """A series (time, [member,] running site) as (*site dims, *member dims, time)."""
        xp = array_namespace(v)
        v = self._everywhere(xp, v)
        v = xp.reshape(v, (v.shape[0], *self.extra, *self.sites))
        axes = (*range(1 + len(self.extra), v.ndim), *range(1, 1 + len(self.extra)), 0)
        return xp.permute_dims(v, axes)

    def still(self, v: Array) -> Array:
        """Values ([member,] running site) as (*site dims, *member dims)."""
        xp = array_namespace(v)
        v = xp.reshape(self._everywhere(xp, v), (*self.extra, *self.sites))
        return xp.permute_dims(v, (*range(len(self.extra), v.ndim), *range(len(self.extra))))

    def missing(self, *lead: int) -> Array:
        """NaN of the shape (*lead, [member,] running site), where no site runs."""
        like = next(iter(self.forcings.values()))
        xp = array_namespace(like)
        members = () if self.members is None else (self.members,)
        return xp.full((*lead, *members, 0), math.nan, dtype=like.dtype, device=device(like))

    def _everywhere(self, xp: Any, v: Array) -> Array:
        if self.kept is not None:
            if v.shape[-1] == 0:
                shape = (*v.shape[:-1], self.kept.shape[0])
                return xp.full(shape, math.nan, dtype=v.dtype, device=device(v))
            # A gather and a selection instead of an indexed write, which the array API lacks.
            position = xp.cumulative_sum(xp.astype(self.kept, xp.int64)) - 1
            v = xp.take(v, xp.where(self.kept, position, 0), axis=v.ndim - 1)
            v = xp.where(self.kept, v, math.nan)
        return v if self.defined is None else xp.where(self.defined, v, math.nan)


def flatten(
    names: tuple[Sequence[str], Sequence[str], Sequence[str]],
    values: Sequence[Array],
    timed: Sequence[bool],
    extra: int,
) -> Flat:
    """Bring the arrays of a block to one shape; views where possible.

    Parameters
    ----------
    names : tuple of three sequences of str
        Of the forcings, the parameters and the states.
    values : sequence of array, (..., [time])
        In the order of `names`, broadcastable; the last `extra` axes before the
        time are those of members, along which forcings do not vary.
    timed : sequence of bool
        Whether the last axis is time.
    extra : int

    Raises
    ------
    InputErrors
        If a forcing has gaps at a site where it is not NaN throughout.
    """
    like = values[0]
    xp = array_namespace(like)
    values = [v if array_namespace(v) is xp else _brought(xp, v, like) for v in values]
    shape = np.broadcast_shapes(*(v.shape[:-1] if t else v.shape for v, t in zip(values, timed, strict=True)))
    sites, members = shape[: len(shape) - extra], shape[len(shape) - extra :]
    first, second = len(names[0]), len(names[0]) + len(names[1])
    forcings = [_flat(xp, v, True, (*sites, *(1,) * extra), 0) for v in values[:first]]
    rest = [_flat(xp, v, t, shape, extra) for v, t in zip(values[first:], timed[first:], strict=True)]

    kept = _with_forcings(xp, names[0], forcings)
    defined = _without_nan(xp, rest, 2 if extra else 1)
    if defined is not None:
        somewhere = xp.any(defined, axis=0) if extra else defined
        kept = somewhere if kept is None else kept & somewhere
        if not extra or bool(xp.all(defined | ~somewhere)):
            defined = None
    if kept is not None:
        index = xp.nonzero(kept)[0]
        forcings, rest = ([xp.take(v, index, axis=v.ndim - 1) for v in group] for group in (forcings, rest))
    return Flat(
        dict(zip(names[0], forcings, strict=True)),
        dict(zip(names[1], rest[: second - first], strict=True)),
        dict(zip(names[2], rest[second - first :], strict=True)),
        math.prod(members) if extra else None,
        sites,
        members,
        kept,
        defined,
    )


def _brought(xp: Any, v: Array, like: Array) -> Array:
    """Numbers of the host, such as default parameters, where the forcings lie."""
    return xp.asarray(v, dtype=like.dtype, device=device(like))


def _flat(xp: Any, v: Array, timed: bool, shape: tuple[int, ...], extra: int) -> Array:
    """Values (..., [time]) as ([time,] [member,] site)."""
    if timed:
        v = xp.moveaxis(v, -1, 0)
    lead = v.shape[:1] if timed else ()
    v = xp.reshape(v, (*lead, *(1,) * (len(shape) - v.ndim + len(lead)), *v.shape[len(lead) :]))
    v = xp.broadcast_to(v, (*lead, *shape))
    if not extra:
        return xp.reshape(v, (*lead, -1))
    ahead = range(v.ndim - extra, v.ndim)
    v = xp.permute_dims(v, (*range(len(lead)), *ahead, *range(len(lead), v.ndim - extra)))
    return xp.reshape(v, (*lead, math.prod(shape[len(shape) - extra :]), -1))


def _with_forcings(xp: Any, names: Sequence[str], forcings: Sequence[Array]) -> Array | None:
    """Sites where no forcing is NaN throughout; None if that is all of them."""
    problems = Problems("simulate")
    kept = None
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
        kept = ~never if kept is None else kept & ~never
    problems.raise_if_any()
    return kept


def _without_nan(xp: Any, arrays: Sequence[Array], still: int) -> Array | None:
    """Where parameters and states have no NaN; None if that is everywhere. `still` axes are not time."""
    defined = None
    for v in arrays:
        missing = xp.isnan(v)
        if not bool(xp.any(missing)):
            continue
        known = ~(xp.any(missing, axis=0) if v.ndim > still else missing)
        defined = known if defined is None else defined & known
    return defined
