"""One block of a run: arrays of any dims as (time, member, site), and back."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from array_api_compat import array_namespace, device

from xdpl.errors import Problems

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["LAG", "Flat", "Kind", "Layout", "flatten"]

Array = Any
# What a result of a block is: of each step, of the last one, or of the last steps before a route;
# "mean route" is of the mean of the members.
Kind = Literal["series", "state", "route", "mean route"]

# Dim of the steps that a route keeps, the oldest first.
LAG = "lag"


@dataclass(frozen=True)
class Layout:
    """Names and dims of the arrays of a run, the same for all its blocks.

    Parameters
    ----------
    names : tuple of three tuples of str
        Of the forcings, the parameters and the states.
    dims : tuple of tuple of str
        Of every array, in the order of `names`.
    sites, extra : tuple of str
        Dims of the sites, and of the members: those that no forcing has, or, if members are
        averaged, those of them to average; the others then go with the sites.
    order : tuple of str
        Dims of a result, if it has all.
    averaged : bool
        Whether series are means over members.
    shared : frozenset of str
        Parameters and states of routes that need no member axis where they have no dim of members.
    lead : tuple of str
        Dims that go before those of members: time, and the lag of routes if there are some.
    """

    names: tuple[tuple[str, ...], ...]
    dims: tuple[tuple[str, ...], ...]
    sites: tuple[str, ...]
    extra: tuple[str, ...]
    order: tuple[str, ...]
    averaged: bool = False
    shared: frozenset[str] = frozenset()
    lead: tuple[str, ...] = ("time",)

    @classmethod
    def of(
        cls,
        forcings: Iterable[xr.DataArray],
        arrays: Iterable[xr.DataArray],
        names: tuple[tuple[str, ...], ...],
        *,
        average: Collection[str] = (),
        shared: frozenset[str] = frozenset(),
        routed: bool = False,
    ) -> Layout:
        """The layout of labelled arrays, of which the forcings are the first."""
        own = tuple(dict.fromkeys(str(d) for a in forcings for d in a.dims))
        lead = ("time", LAG) if routed else ("time",)
        dims = tuple(tuple(map(str, a.dims)) for a in arrays)
        members = tuple(dict.fromkeys(d for ds in dims for d in ds if d not in (*own, *lead)))
        extra = tuple(d for d in members if d in average) if average else members
        order = (*extra, *(d for d in members if d not in extra), *own)
        sites = tuple(d for d in order if d not in extra and d != "time")
        return cls(names, dims, sites, extra, order, bool(average), shared, lead)

    def result(self, kind: Kind) -> tuple[str, ...]:
        """Dims of a result: of members, then of the forcings in their order."""
        mean = self.averaged and kind in ("series", "mean route")
        gone = {*(self.extra if mean else ()), *(() if kind == "series" else ("time",))}
        lead = (LAG,) if kind in ("route", "mean route") else ()
        return (*lead, *(d for d in self.order if d not in gone))


@dataclass(frozen=True)
class Flat:
    """Arrays that an engine takes, of the sites that can run.

    Parameters
    ----------
    layout : Layout
    sizes : dict of str to int
        Lengths of the dims in the block.
    forcings : dict of str to array, (time, site)
    parameters : dict of str to array, ([time,] [member,] site)
        Those of routes without the member axis if all members share them.
    start : dict of str to array, ([lag,] [member,] site)
        States before the first step; empty if the model has its own.
    kept : array of bool, (site,), or None
        Sites that run; None if all do.
    defined : array of bool, ([member,] site), or None
        Where no parameter and no state is NaN; None if that is everywhere.
    """

    layout: Layout
    sizes: dict[str, int]
    forcings: dict[str, Array]
    parameters: dict[str, Array]
    start: dict[str, Array]
    kept: Array | None
    defined: Array | None

    @property
    def members(self) -> int | None:
        """Length of the member axis; None without one."""
        return math.prod(self.sizes[d] for d in self.layout.extra) if self.layout.extra else None

    @property
    def steps(self) -> int:
        """Number of time steps."""
        return int(next(iter(self.forcings.values())).shape[0])

    @property
    def empty(self) -> bool:
        """Whether no site can run."""
        return int(next(iter(self.forcings.values())).shape[1]) == 0

    def labelled(self, v: Array, kind: Kind) -> Array:
        """A result ([time or lag,] [member,] running site) in its dims."""
        xp = array_namespace(v)
        out = self.layout.result(kind)
        lead = tuple(d for d in self.layout.lead if d in out)
        members = tuple(d for d in self.layout.extra if d in out)
        dims = (*lead, *members, *self.layout.sites)
        sizes = {**self.sizes, **dict(zip(lead, v.shape[:1], strict=False))}
        v = xp.reshape(self._everywhere(xp, v, each=bool(members)), tuple(sizes[d] for d in dims))
        return xp.permute_dims(v, tuple(dims.index(d) for d in out))

    def missing(self, kind: Kind, *lead: int) -> Array:
        """A result where no site runs, with the lengths that go before those of members and sites."""
        like = next(iter(self.forcings.values()))
        xp = array_namespace(like)
        each = any(d in self.layout.result(kind) for d in self.layout.extra)
        members = (self.members,) if each else ()
        none = xp.full((*lead, *members, 0), math.nan, dtype=like.dtype, device=device(like))
        return self.labelled(none, kind)

    def _everywhere(self, xp: Any, v: Array, *, each: bool) -> Array:
        defined = self.defined
        if defined is not None and self.layout.extra and not each:
            defined = xp.all(defined, axis=0)
        if self.kept is not None:
            if v.shape[-1] == 0:
                shape = (*v.shape[:-1], self.kept.shape[0])
                return xp.full(shape, math.nan, dtype=v.dtype, device=device(v))
            # A gather and a selection instead of an indexed write, which the array API lacks.
            position = xp.cumulative_sum(xp.astype(self.kept, xp.int64)) - 1
            v = xp.take(v, xp.where(self.kept, position, 0), axis=v.ndim - 1)
            v = xp.where(self.kept, v, math.nan)
        return v if defined is None else xp.where(defined, v, math.nan)


def flatten(layout: Layout, values: Sequence[Array]) -> Flat:
    """Bring the arrays of a block to one shape; views where possible.

    Parameters
    ----------
    layout : Layout
    values : sequence of array
        In the order of the layout.

    Raises
    ------
    InputErrors
        If a forcing has gaps at a site where it is not NaN throughout.
    """
    like = values[0]
    xp = array_namespace(like)
    values = [v if array_namespace(v) is xp else _brought(xp, v, like) for v in values]
    named = list(zip(values, layout.dims, strict=True))
    sizes = {d: n for v, dims in named for d, n in zip(dims, v.shape, strict=True)}
    first, second = len(layout.names[0]), len(layout.names[0]) + len(layout.names[1])
    forcings = [_flat(xp, v, dims, (), layout, sizes) for v, dims in named[:first]]
    rest = [_flat(xp, v, dims, layout.extra, layout, sizes) for v, dims in named[first:]]
    common = _common(layout)

    kept = _with_forcings(xp, layout.names[0], forcings)
    defined = _without_nan(xp, rest, 2 if layout.extra else 1)
    if defined is not None:
        somewhere = xp.any(defined, axis=0) if layout.extra else defined
        kept = somewhere if kept is None else kept & somewhere
        if not layout.extra or bool(xp.all(defined | ~somewhere)):
            defined = None
    rest = [v[..., 0, :] if i in common else v for i, v in enumerate(rest)]
    if kept is not None:
        index = xp.nonzero(kept)[0]
        forcings, rest = ([xp.take(v, index, axis=v.ndim - 1) for v in group] for group in (forcings, rest))
    return Flat(
        layout,
        sizes,
        dict(zip(layout.names[0], forcings, strict=True)),
        dict(zip(layout.names[1], rest[: second - first], strict=True)),
        dict(zip(layout.names[2], rest[second - first :], strict=True)),
        kept,
        defined,
    )


def _common(layout: Layout) -> set[int]:
    """Which of the parameters and states are the same for all members and need not be repeated."""
    names = [*layout.names[1], *layout.names[2]]
    dims = layout.dims[len(layout.names[0]) :]
    return {
        i
        for i, (name, ds) in enumerate(zip(names, dims, strict=True))
        if layout.extra and name in layout.shared and not set(ds) & set(layout.extra)
    }


def _brought(xp: Any, v: Array, like: Array) -> Array:
    """Numbers of the host, such as default parameters, where the forcings lie."""
    return xp.asarray(v, dtype=like.dtype, device=device(like))


def _flat(
    xp: Any,
    v: Array,
    dims: tuple[str, ...],
    extra: tuple[str, ...],
    layout: Layout,
    sizes: Mapping[str, int],
) -> Array:
    """Values in any dims as ([time or lag,] [member,] site)."""
    lead, sites = tuple(d for d in layout.lead if d in dims), layout.sites
    wanted = (*lead, *extra, *sites)
    v = xp.permute_dims(v, tuple(dims.index(d) for d in wanted if d in dims))
    v = xp.reshape(v, tuple(sizes[d] if d in dims else 1 for d in wanted))
    v = xp.broadcast_to(v, tuple(sizes[d] for d in wanted))
    groups = (lead, extra, sites) if extra else (lead, sites)
    shape = [math.prod(sizes[d] for d in group) for group in groups]
    return xp.reshape(v, tuple(shape if lead else shape[1:]))


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
