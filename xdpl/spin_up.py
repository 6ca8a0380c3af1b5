"""Run the first years again and again until the stores no longer change."""

from __future__ import annotations

import datetime
import json
import numbers
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from array_api_compat import array_namespace

from xdpl import engines, units
from xdpl.errors import Problems
from xdpl.labelled import blocks, schema
from xdpl.labelled.label import labelled, run_attrs
from xdpl.labelled.prepare import prepare
from xdpl.labelled.tree import over_nodes
from xdpl.models import Model
from xdpl.models.base import Flux
from xdpl.models.routes import RouteState

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from xdpl.labelled.flat import Flat, Kind

__all__ = ["spin_up"]

Array = Any


@over_nodes(schema.present)
def spin_up(
    ds: xr.Dataset,
    model: str | Model,
    parameters: xr.Dataset | Mapping[str, Any] | None = None,
    *,
    years: int = 1,
    tolerance: float = 0.1,
    cycles: int = 100,
    forcings: Mapping[str, str] | None = None,
    initial: xr.Dataset | None = None,
    engine: str | None = None,
    dtype: DTypeLike | None = None,
) -> xr.Dataset:
    """Find states in balance with the weather of the first years, for every site.

    The first years are run repeatedly, each time from the states in which the time
    before ended. A site is done when no state has changed by more than the tolerance
    from the end of one cycle to the end of the next.

    Parameters
    ----------
    ds, model, parameters, forcings, initial, engine, dtype
        As in `xdpl.simulate`.
    years : int
        Length of a cycle.
    tolerance : float
        Largest change of a state over a cycle, in the units of the states (mm for
        stores of water).
    cycles : int
        How often the years are run at most.

    Returns
    -------
    Dataset
        One variable per state, to be given to `simulate` as ``initial``; and, per
        site, ``storage_change``, the largest change of a state in its last cycle, and
        ``spin_up_cycles``, how many it took. Lazy where `ds` is. The same in blocks of
        any size: a site that is done keeps its states.

    Raises
    ------
    InputErrors
        With every problem of the input; as in `simulate`, or a record shorter than a cycle.

    Warns
    -----
    UserWarning
        If sites have not settled after `cycles`; where `ds` is lazy, compare
        ``storage_change`` with the tolerance.
    """
    problems = Problems("spin_up")
    length = _first(ds, years, tolerance, cycles, problems)
    problems.raise_if_any()
    first = ds.isel(time=slice(length))
    run = prepare(
        "spin_up",
        first,
        model,
        _first_steps(parameters, ds, length),
        forcings=forcings,
        outputs=None,
        initial=initial.drop_vars("time", errors="ignore") if isinstance(initial, xr.Dataset) else initial,
        engine=engine,
        dtype=dtype,
        states=True,
    )

    def settle(flat: Flat) -> list[Array]:
        return _settle(run.model, flat, engine, tolerance, cycles)

    names = [*run.model.states, *run.model.route_states, *_report(run.model)]
    kinds: list[Kind] = ["route" if isinstance(d, RouteState) else "state" for d in names]
    results = blocks.over_blocks(
        settle, run.forcings, run.parameters, run.initial, kinds, lags=blocks.lags_of(run.model)
    )
    attrs = run_attrs(first, run, "states after spin-up") | {
        "spin_up": json.dumps({"years": years, "tolerance": tolerance, "cycles": cycles})
    }
    states = labelled(first, run, dict(zip(names, results, strict=True)), attrs)
    # As if the years had gone before the record: a run of the record may start from them.
    index: Any = ds.indexes["time"]
    before = (index[:1] - datetime.timedelta(days=run.model.dt)).values[0]
    states = states.assign_coords(time=((), before, ds["time"].attrs))
    _warn(states["storage_change"], tolerance, cycles)
    return states


def _first_steps(
    parameters: xr.Dataset | Mapping[str, Any] | None, ds: xr.Dataset, length: int
) -> xr.Dataset | Mapping[str, Any] | None:
    """Parameters of the first years, where they vary over the whole record."""

    def first(value: Any) -> Any:
        whole = isinstance(value, xr.DataArray) and value.sizes.get("time") == ds.sizes["time"]
        return value.isel(time=slice(length)) if whole else value

    if isinstance(parameters, xr.Dataset):
        whole = parameters.sizes.get("time") == ds.sizes.get("time") is not None
        return parameters.isel(time=slice(length)) if whole else parameters
    if isinstance(parameters, Mapping):
        return {str(k): first(v) for k, v in parameters.items()}
    return parameters


def _report(model: Model) -> tuple[Flux, Flux]:
    known = {s.units for s in model.states}
    return (
        Flux(
            "storage_change",
            known.pop() if len(known) == 1 else "1",
            "",
            "largest change of a state in the last cycle of the spin-up, in the units of the state",
        ),
        Flux("spin_up_cycles", "1", "", "cycles until the states settled"),
    )


def _settle(model: Model, flat: Flat, engine: str | None, tolerance: float, cycles: int) -> list[Array]:
    stores, routes = ([d.name for d in group] for group in (model.states, model.route_states))
    if flat.empty:
        delayed = [flat.missing("route", state.lags) for state in model.route_states]
        none = flat.missing("state")
        return [*(none for _ in stores), *delayed, none, none]
    xp = array_namespace(next(iter(flat.forcings.values())))
    state: dict[str, Array] = flat.start
    change: Array = None
    for _ in range(cycles):
        _, final = engines.run(
            engine,
            model,
            flat.forcings,
            flat.parameters,
            initial=state or None,
            outputs=(),
            members=flat.members,
            average=False,
        )
        if change is None:
            first = final[stores[0]]
            change, count = xp.full_like(first, xp.inf), xp.zeros_like(first)
            active = xp.ones_like(first, dtype=xp.bool)
        if state:
            # What is on the way is that of the last days: it settles when the stores do.
            steps = [xp.abs(final[k] - state[k]) for k in stores]
            change = xp.where(active, xp.max(xp.stack(steps), axis=0), change)
        state = {k: xp.where(active, v, state[k]) if state else v for k, v in final.items()}
        count = count + xp.astype(active, count.dtype)
        active = change > tolerance
        if not bool(xp.any(active)):
            break
    report = [flat.labelled(v, "state") for v in (change, count)]
    kept = [flat.labelled(state[k], "state") for k in stores]
    return [*kept, *(flat.labelled(state[k], "route") for k in routes), *report]


def _first(ds: xr.Dataset, years: int, tolerance: float, cycles: int, problems: Problems) -> int:
    """Number of steps in the first years; of the whole record if something is wrong."""
    # A first cycle has nothing to compare with.
    for name, value, least in (("years", years, 1), ("cycles", cycles, 2)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            problems.add(
                name, expected=f"an integer of at least {least}", got=repr(value), fix=f"{name}={least}"
            )
    number: Any = tolerance
    if not isinstance(number, numbers.Real) or not float(number) > 0:
        problems.add("tolerance", expected="a number above 0", got=repr(tolerance), fix="tolerance=0.1")
    index = ds.indexes.get("time")
    if problems.found or index is None or not hasattr(index, "month") or not len(index):
        return ds.sizes.get("time", 0)  # a wrong time axis is said with the forcings
    dates = zip(index.year, index.month, index.day, strict=True)
    start = (index[0].year + years, index[0].month, index[0].day)
    length = sum(date < start for date in dates)
    last = index[-1] + (index[-1] - index[-2]) if len(index) > 1 else index[-1]
    if length == len(index) and (last.year, last.month, last.day) < start:
        problems.add(
            "years",
            expected=f"at most the length of the record, {index[0]} to {index[-1]}",
            got=repr(years),
            fix="fewer years, or a longer record",
        )
    return length


def _warn(change: xr.DataArray, tolerance: float, cycles: int) -> None:
    change = units.magnitude(change)
    if change.chunks is not None:
        return
    values: Array = change.data
    xp = array_namespace(values)
    restless, known = (int(xp.sum(xp.astype(v, xp.int64))) for v in (values > tolerance, ~xp.isnan(values)))
    if restless:
        warnings.warn(
            f"spin_up: {restless} of {known} sites still change by more than"
            f" {tolerance:g} after {cycles} cycles; see storage_change",
            stacklevel=3,
        )
