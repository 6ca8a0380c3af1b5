"""The time axis must be dates, one model step apart."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from model_cases import weather

import xdpl
from xdpl.errors import InputErrors
from xdpl.labelled.schema import step_in_days
from xdpl.models.hbv import HBV


def swapped(ds):
    days = ds["time"].values.copy()
    days[[4, 5]] = days[[5, 4]]
    return ds.assign_coords(time=days)


BROKEN = {
    "backwards": (lambda ds: ds.isel(time=slice(None, None, -1)), "strictly increasing dates", "a step back"),
    "swapped": (swapped, "strictly increasing dates", "a step back or a repeat at 2001-01-05"),
    "repeated": (
        lambda ds: xr.concat([ds, ds.isel(time=[-1])], "time"),
        "strictly increasing",
        "a repeat at 2001-02-09",
    ),
    "irregular": (
        lambda ds: ds.drop_isel(time=[10]),
        "a step of 1 days everywhere",
        "2 days after 2001-01-10",
    ),
    "hourly": (
        lambda ds: ds.assign_coords(time=pd.date_range("2001", periods=40, freq="6h")),
        "a step of 1 days everywhere",
        "0.25 days after 2001-01-01",
    ),
    "missing": (lambda ds: ds.drop_vars("time"), "a coordinate of dates along 'time'", "got none"),
    "numbers": (
        lambda ds: ds.assign_coords(time=np.arange(40)),
        "a coordinate of dates",
        "values of dtype int64",
    ),
    "text": (
        lambda ds: ds.assign_coords(time=[f"day {i}" for i in range(40)]),
        "a coordinate of dates",
        "values of dtype",
    ),
    "empty": (lambda ds: ds.isel(time=slice(0)), "at least one step", "got none"),
    "other name": (lambda ds: ds.rename(time="date"), "a dimension 'time'", "dims ('date', 'basin')"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken(name):
    change, expected, got = BROKEN[name]
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(change(weather()), "vic")
    text = str(caught.value)
    assert expected in text
    assert got in text


def run_fix(ds, change):
    """Carry out the call that the error proposes."""
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(change(ds), "vic")
    scope = {"ds": change(ds), "xr": xr}
    exec(caught.value.exceptions[0].fix, scope)
    return scope["ds"]


@pytest.mark.parametrize("name", ["backwards", "swapped", "repeated", "missing", "numbers"])
def test_the_fix_repairs_it(name):
    assert xdpl.simulate(run_fix(weather(), BROKEN[name][0]), "vic").sizes["time"] == 40


def test_the_fix_of_a_regular_other_step_is_a_model_option():
    ds = BROKEN["hourly"][0](weather())
    with pytest.raises(InputErrors, match=r"give the model dt=0\.25"):
        xdpl.simulate(ds, "hbv")
    assert xdpl.simulate(ds, HBV(dt=0.25)).sizes["time"] == 40


def test_one_time_is_enough():
    one = xdpl.simulate(weather().isel(time=[0]), "vic")
    assert one.sizes["time"] == 1
    xr.testing.assert_equal(one, xdpl.simulate(weather(), "vic").isel(time=[0]))


def test_step_in_days():
    ds = xr.Dataset(
        coords={"time": pd.to_datetime(["2001-01-01", "2001-01-02", "2001-01-02T06"], format="ISO8601")}
    )
    np.testing.assert_array_equal(step_in_days(ds), [1.0, 0.25])


@pytest.mark.parametrize("calendar", ["noleap", "360_day"])
def test_other_calendars(calendar):
    pytest.importorskip("cftime")
    ds = weather(days=70)
    days = xr.date_range("2001-01-01", periods=70, calendar=calendar, use_cftime=True)
    sim = xdpl.simulate(ds.assign_coords(time=days), "vic")
    np.testing.assert_array_equal(sim["runoff"], xdpl.simulate(ds, "vic")["runoff"])
