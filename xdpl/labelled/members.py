"""Dims of members: what parameters and states have, and forcings lack."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl.labelled.flat import LAG

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.models import Model

__all__ = ["check_average", "check_members", "check_routes", "member_coords"]

Inputs = Mapping[str, xr.DataArray]


def check_members(arrays: list[xr.DataArray], problems: Problems) -> None:
    """Note labels or lengths of a dim that differ between parameters and initial states."""
    try:
        xr.align(*arrays, join="exact", copy=False)
    except ValueError as error:
        problems.add(
            "parameters and initial",
            expected="the same labels and lengths along the dims they share",
            got=str(error).splitlines()[0],
            fix="xr.align(..., join='inner') first, or select the members of both",
        )


def member_coords(given: Iterable[Any], own: Collection[Hashable]) -> dict[Hashable, xr.DataArray]:
    """Coordinates of datasets of parameters and states along dims of members only; `own` are the others."""
    return {
        name: coord.variable
        for ds in given
        if isinstance(ds, xr.Dataset)
        for name, coord in ds.coords.items()
        if coord.dims and not set(own) & set(coord.dims)
    }


def check_average(
    average: str | Sequence[str] | None, own: Collection[Hashable], others: Inputs, problems: Problems
) -> tuple[str, ...]:
    """Dims to average over; noted are those that are none of members, or in several chunks.

    Parameters
    ----------
    average : str or sequence of str, optional
        As in `xdpl.simulate`.
    own : collection of str
        Dims that are not of members.
    others : mapping of str to DataArray
        Parameters and initial states.
    problems : Problems
    """
    chosen = () if average is None else (average,) if isinstance(average, str) else tuple(average)
    members = dict.fromkeys(str(d) for a in others.values() for d in a.dims)
    known = [d for d in members if d not in own]
    for dim in chosen:
        if dim not in known:
            listed = ", ".join(known) or "there is none"
            problems.add(
                "average",
                expected=f"a dim of the parameters that no forcing has: {listed}",
                got=repr(dim),
                fix=f"average={known[0]!r}" if known else "leave it out",
            )
    for name, array in others.items():
        chunks = dict(array.chunksizes) if array.chunks else {}
        for dim in chosen:
            if len(chunks.get(dim, ())) > 1:
                problems.add(
                    name,
                    expected=f"{dim} in one chunk, since it is averaged over",
                    got=f"{len(chunks[dim])} chunks along {dim}",
                    fix=f"parameters = parameters.chunk({dim}=-1)",
                )
    return tuple(dict.fromkeys(chosen))


def check_routes(
    model: Model, forcings: Inputs, parameters: Inputs, initial: Inputs, problems: Problems
) -> None:
    """Note what routes cannot take: parameters that vary in time, and a dim `lag` of something else."""
    if not model.routes:
        return
    for name in dict.fromkeys(p.name for route in model.routes for p in route.parameters):
        if name in parameters and "time" in parameters[name].dims:
            problems.add(
                name,
                expected="one value for all times, since the water of several steps is routed together",
                got=f"dims {parameters[name].dims}",
                fix=f'parameters["{name}"].mean("time")',
            )
    own = {state.name for state in model.route_states}
    for name, array in (*forcings.items(), *parameters.items(), *initial.items()):
        if LAG in array.dims and name not in own:
            problems.add(
                name,
                expected=f"no dim {LAG!r}, which is that of the steps on their way to the outlet",
                got=f"dims {array.dims}",
                fix=f'.rename({LAG}="...")',
            )
