"""States given by a user: found, converted, and of the moment before the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdpl.labelled.lookup import in_units

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.errors import Problems
    from xdpl.models import Model

__all__ = ["initial_states"]


def initial_states(
    model: Model, ds: xr.Dataset, initial: xr.Dataset, problems: Problems
) -> dict[str, xr.DataArray]:
    """States before the first step, in declared units.

    Parameters
    ----------
    model : Model
    ds : Dataset
        Of the run, with `time`.
    initial : Dataset
        One variable per state. Of a coordinate `time` it must be one step before `ds`.
    problems : Problems
        Takes a note of states and units that are missing, and of another time.
    """
    start = {}
    for state in model.states:
        if state.name not in initial:
            problems.add(
                state.name,
                expected=f"an initial state in {state.units!r}",
                got="none",
                fix="_, initial = simulate(..., return_states=True) of a run before",
            )
        elif "time" in initial[state.name].dims:
            problems.add(
                state.name,
                expected="an initial state at one time",
                got=f"dims {initial[state.name].dims}",
                fix="initial.isel(time=-1)",
            )
        else:
            array = in_units(initial[state.name], state.units, problems)
            start[state.name] = array.reset_coords(drop=True)
    _check_time(model, ds, initial, problems)
    return start


def _check_time(model: Model, ds: xr.Dataset, initial: xr.Dataset, problems: Problems) -> None:
    index = ds.indexes.get("time")
    if "time" not in initial.coords or initial["time"].ndim or index is None or not hasattr(index, "month"):
        return
    first, given = index[0], initial["time"]
    try:
        gap = ds["time"][0].drop_vars("time") - given.drop_vars("time")
        days = float(gap.values.astype("timedelta64[ns]").astype(float)) / 86400e9
    except (TypeError, ValueError):  # dates of two calendars
        days = float("nan")
    if not abs(days - model.dt) <= 1e-6 * model.dt:
        problems.add(
            "initial",
            expected=f"states one step ({model.dt:g} days) before {first}",
            got=f"states of {given.values}",
            fix='initial.drop_vars("time") to start from them all the same',
        )
