"""States given by a user: found, converted, and of the moment before the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from xdpl.labelled.flat import LAG
from xdpl.labelled.lookup import in_units
from xdpl.models.routes import RouteState

if TYPE_CHECKING:
    from xdpl.errors import Problems
    from xdpl.models import Model

__all__ = ["initial_states", "lag_labels"]

_STANDARD = ("standard", "gregorian", "proleptic_gregorian")


def initial_states(model: Model, ds: xr.Dataset, initial: Any, problems: Problems) -> dict[str, xr.DataArray]:
    """States before the first step, in declared units.

    Parameters
    ----------
    model : Model
    ds : Dataset
        Of the run, with `time`.
    initial : Dataset
        One variable per state, those of routes with a dim `lag`. Of a coordinate `time` it
        must be one step before `ds`.
    problems : Problems
        Takes a note of states, units and lags that are missing, and of another time.
    """
    start: dict[str, xr.DataArray] = {}
    if not isinstance(initial, xr.Dataset):
        problems.add(
            "initial",
            expected="a Dataset of states",
            got=type(initial).__name__,
            fix='xr.Dataset({"<state>": ((), value, {"units": "mm"})})',
        )
        return start
    for state in (*model.states, *model.route_states):
        if state.name not in initial:
            problems.add(
                state.name,
                expected=f"an initial state in {state.units!r}",
                got="none",
                fix="_, initial = simulate(..., return_states=True) of a run before",
            )
            continue
        array = initial[state.name]
        if "time" in array.dims:
            problems.add(
                state.name,
                expected="an initial state at one time",
                got=f"dims {array.dims}",
                fix="initial.isel(time=-1)",
            )
        elif not isinstance(state, RouteState) or _has_lags(state, array, problems):
            array = in_units(array, state.units, problems)
            start[state.name] = array.reset_coords(drop=True).drop_vars(LAG, errors="ignore")
    _check_time(model, ds, initial, problems)
    return start


def lag_labels(state: RouteState) -> np.ndarray:
    """Steps before the time of the states, the oldest first; shape (lag,)."""
    return np.arange(state.lags)[::-1].copy()


def _has_lags(state: RouteState, array: xr.DataArray, problems: Problems) -> bool:
    """Whether a state of a route has the steps it should; problems are noted."""
    labels = lag_labels(state)
    if array.sizes.get(LAG) != state.lags:
        got = f"{array.sizes[LAG]} of them" if LAG in array.dims else f"dims {array.dims}"
    elif LAG in array.coords and not np.array_equal(array[LAG].values, labels):
        got = f"labels {array[LAG].values[0]} to {array[LAG].values[-1]}"
    else:
        return True
    problems.add(
        state.name,
        expected=f"{state.lags} steps along {LAG!r}, labelled {labels[0]} to 0, the oldest first",
        got=got,
        fix=f"initial.sel({LAG}=range({labels[0]}, -1, -1)), of states that simulate returned",
    )
    return False


def _check_time(model: Model, ds: xr.Dataset, initial: xr.Dataset, problems: Problems) -> None:
    index = ds.indexes.get("time")
    if "time" not in initial.coords or initial["time"].ndim or index is None or not hasattr(index, "month"):
        return
    first, given = index[0], initial["time"]
    try:
        days = (first - _date(given.values[()], first)).total_seconds() / 86400.0
    except (TypeError, ValueError):  # dates of two calendars
        days = float("nan")
    if not abs(days - model.dt) <= 1e-6 * model.dt:
        problems.add(
            "initial",
            expected=f"states one step ({model.dt:g} days) before {first}",
            got=f"states of {given.values}",
            fix='initial.drop_vars("time") to start from them all the same',
        )


def _date(value: Any, like: Any) -> Any:
    """A date of the kind of another; files give standard calendars back as those of numpy."""
    if not isinstance(value, np.datetime64):
        return value
    t = pd.Timestamp(value)
    if isinstance(like, pd.Timestamp) or getattr(like, "calendar", "") not in _STANDARD:
        return t
    return type(like)(t.year, t.month, t.day, t.hour, t.minute, t.second)
