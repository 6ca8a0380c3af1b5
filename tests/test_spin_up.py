"""Spin-up: states settle, the same in blocks of any size, and say so."""

import json

import array_api_strict
import numpy as np
import pint
import pytest
import xarray as xr
from model_cases import MODELS, weather

import xdpl
from xdpl.errors import InputErrors

DAYS = 730


def years(dims=("basin",), shape=(3,), **kwargs):
    return weather(dims, shape, days=DAYS, **kwargs)


def by_hand(ds, model, tolerance):
    """States after repeating the first year, one site at a time, with the public functions."""
    first = ds.isel(time=slice(365))
    names = [s.name for s in model.states]
    _, state = xdpl.simulate(first, model, return_states=True)
    cycle, change = 1, np.inf
    while change > tolerance:
        cycle += 1
        _, new = xdpl.simulate(first, model, initial=state.drop_vars("time"), return_states=True)
        change = max(float(abs(new[k] - state[k]).max()) for k in names)
        state = new
    return state[names], change, cycle


@pytest.mark.parametrize("name", MODELS)
def test_states_are_those_of_repeated_years(name):
    ds, model = years(), MODELS[name]
    states = ds.dpl.spin_up(model, tolerance=0.5)
    for i in range(3):
        expected, change, cycle = by_hand(ds.isel(basin=[i]), model, 0.5)
        for key, array in expected.items():
            # A kernel that stores other series may round otherwise.
            np.testing.assert_allclose(states[key][i], array[0], rtol=1e-13, atol=1e-13)
        assert float(states["storage_change"][i]) == pytest.approx(change, rel=1e-9)
        assert float(states["spin_up_cycles"][i]) == cycle


def test_what_settles_needs_more_than_one_cycle_and_no_more_after():
    ds = years()
    states = ds.dpl.spin_up("hbv", tolerance=0.01)
    assert (states["spin_up_cycles"] > 1).all()
    assert (states["storage_change"] <= 0.01).all()
    again = ds.dpl.spin_up("hbv", tolerance=0.01, initial=states)
    assert (again["spin_up_cycles"] == 1).all()


def test_blocks_of_any_size_and_members(counter):
    ds = years(("lat", "lon"), (3, 2))
    theta = xr.Dataset({"fc": ("member", [100.0, 500.0], {"units": "mm"})})
    whole = ds.dpl.spin_up("hbv", theta)
    assert whole["soil_moisture"].dims == ("member", "lat", "lon")
    assert whole["spin_up_cycles"].std() > 0
    lazy = ds.chunk(lat=1, time=-1).dpl.spin_up("hbv", theta)
    assert counter.calls == 0 and all(v.chunks for v in lazy.values())
    xr.testing.assert_equal(lazy.compute(), whole)


def test_the_states_start_a_run():
    ds = years()
    states = ds.dpl.spin_up("hbv")
    assert states["time"] == ds["time"][0] - np.timedelta64(1, "D")
    warm, cold = ds.dpl.simulate("hbv", initial=states), ds.dpl.simulate("hbv")
    assert float(warm["soil_moisture"][0].min()) > 10 * float(cold["soil_moisture"][0].max())


def test_attributes_and_units():
    ds = years()
    states = ds.dpl.spin_up("hbv", years=2, tolerance=0.2)
    assert json.loads(states.attrs["spin_up"]) == {"years": 2, "tolerance": 0.2, "cycles": 100}
    assert json.loads(states.attrs["period"]) == ["2001-01-01T00:00:00", "2002-12-31T00:00:00"]
    assert states["storage_change"].attrs["units"] == states["soil_moisture"].attrs["units"] == "mm"
    assert states["spin_up_cycles"].attrs["units"] == "1"


def test_sites_without_forcing_stay_nan():
    ds = years()
    ds["precipitation"] = ds["precipitation"].where(ds["basin"] > 5).assign_attrs(units="mm d-1")
    states = ds.dpl.spin_up("hbv")
    for state in states.values():
        assert state.isnull().all(set(state.dims) - {"basin"}).values.tolist() == [True, False, False]
        assert state.isnull().any(set(state.dims) - {"basin"}).values.tolist() == [True, False, False]
    nowhere = ds.isel(basin=[0]).dpl.spin_up("hbv")
    assert nowhere["spin_up_cycles"].isnull().all()


def test_restless_sites_are_reported():
    with pytest.warns(UserWarning, match=r"3 of 3 sites still change by more than 1e-09 after 2 cycles"):
        states = years().dpl.spin_up("hbv", tolerance=1e-9, cycles=2)
    assert (states["storage_change"] > 1e-9).all() and (states["spin_up_cycles"] == 2).all()


def test_restless_sites_of_quantities_and_other_arrays():
    registry = pint.UnitRegistry(force_ndarray_like=True)
    quantified = years()
    for name, unit in {"precipitation": "mm/day", "potential_evapotranspiration": "mm/day"}.items():
        quantified[name] = (quantified[name].dims, registry.Quantity(quantified[name].values, unit))
    elsewhere = array_api_strict.Device("device1")
    strict = years().map(lambda a: a.copy(data=array_api_strict.asarray(a.values, device=elsewhere)))
    for ds in (quantified, strict):
        with pytest.warns(UserWarning, match="3 of 3 sites still change"):
            ds.dpl.spin_up("hbv", tolerance=1e-9, cycles=2)


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        ({"years": 3}, ["years: expected at most the length of the record"]),
        ({"years": 0, "cycles": 0.5}, ["years: expected an integer", "cycles: expected an integer"]),
        ({"tolerance": 0.0}, ["tolerance: expected a number above 0"]),
        (
            {"tolerance": "a", "cycles": 1},
            ["tolerance: expected", "cycles: expected an integer of at least 2"],
        ),
        ({"engine": "steam"}, ["engine"]),
    ],
)
def test_bad_arguments(options, messages):
    with pytest.raises(InputErrors, match="spin_up") as caught:
        years().dpl.spin_up("hbv", **options)
    assert len(caught.value.exceptions) == len(messages)
    for message in messages:
        assert message in str(caught.value)


@pytest.mark.parametrize(("start", "days"), [("2004-02-29", 366), ("2003-06-15", 366), ("2001-01-01", 365)])
def test_a_year_is_a_year(start, days):
    ds = years()
    ds = ds.assign_coords(time=xr.date_range(start, periods=DAYS, use_cftime=False))
    states = ds.dpl.spin_up("hbv", cycles=2, tolerance=1e9)
    first, last = (np.datetime64(t) for t in json.loads(states.attrs["period"]))
    assert (last - first) / np.timedelta64(1, "D") + 1 == days


def test_other_calendars():
    ds = years()
    ds = ds.assign_coords(time=xr.date_range("2001-01-01", periods=DAYS, calendar="360_day"))
    states = ds.dpl.spin_up("hbv")
    assert json.loads(states.attrs["period"])[1] == "2001-12-30T00:00:00"
    assert str(states["time"].values) == "2000-12-30 00:00:00"
    ds.dpl.simulate("hbv", initial=states)


def test_parameters_that_vary_over_the_whole_record():
    ds = years()
    capacity = xr.DataArray(np.linspace(100.0, 300.0, DAYS), {"time": ds["time"]}, attrs={"units": "mm"})
    expected = ds.isel(time=slice(365)).dpl.spin_up("hbv", {"fc": capacity.isel(time=slice(365))})
    for theta in ({"fc": capacity}, xr.Dataset({"fc": capacity})):
        xr.testing.assert_equal(ds.dpl.spin_up("hbv", theta), expected)
