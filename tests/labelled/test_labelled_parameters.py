"""Parameters of a user: partial, in any units, on any dims; defaults fill the rest."""

import json

import numpy as np
import pytest
import xarray as xr
from model_cases import MODELS, weather

import xdpl
from xdpl.errors import InputErrors, Problems
from xdpl.labelled.parameters import resolve
from xdpl.models.vic import VIC

BASINS = {"basin": [5.0, 15.0, 25.0]}


def ksat(values, unit="mm d-1", dims="basin", **kwargs):
    return xr.Dataset({"ksat": (dims, values, {"units": unit})}, **kwargs)


def one_by_one(ds, theta):
    """The same simulation with numbers, site by site."""
    runs = [xdpl.simulate(ds.isel(basin=[i]), "vic", {"ksat": v}) for i, v in enumerate(theta)]
    return xr.concat(runs, "basin", combine_attrs="drop")


def message(parameters, ds=None):
    with pytest.raises(InputErrors) as caught:
        xdpl.simulate(weather() if ds is None else ds, "vic", parameters)
    return str(caught.value)


@pytest.mark.parametrize("name", MODELS)
def test_none_is_the_defaults(name):
    model, ds = MODELS[name], weather()
    theta = xr.Dataset({p.name: ((), p.default, {"units": p.units}) for p in model.parameters})
    given = xdpl.simulate(ds, model, theta)
    xr.testing.assert_equal(xdpl.simulate(ds, model), given)
    assert json.loads(given.attrs["default_parameters"]) == []


def test_partial_names_the_defaults():
    sim = xdpl.simulate(weather(), "vic", ksat([100.0, 500.0, 2000.0], coords=BASINS))
    defaulted = [p.name for p in VIC().parameters if p.name != "ksat"]
    assert json.loads(sim.attrs["default_parameters"]) == defaulted
    xr.testing.assert_allclose(
        sim, one_by_one(weather(), [100.0, 500.0, 2000.0]).transpose("time", "basin"), rtol=1e-14
    )


def test_dims_without_coordinates_go_by_position():
    with_coords = xdpl.simulate(weather(), "vic", ksat([100.0, 500.0, 2000.0], coords=BASINS))
    xr.testing.assert_equal(xdpl.simulate(weather(), "vic", ksat([100.0, 500.0, 2000.0])), with_coords)


@pytest.mark.parametrize("number", [100, 100.0, np.float32(100.0), np.int64(100)])
def test_numbers_are_in_declared_units(number):
    sim = xdpl.simulate(weather(), "vic", {"ksat": number})
    xr.testing.assert_equal(sim, xdpl.simulate(weather(), "vic", ksat(100.0, dims=())))


def test_numbers_and_arrays_mix():
    arrays = {"ksat": ksat([100.0, 500.0, 2000.0])["ksat"], "expt": 5.0}
    mixed = xdpl.simulate(weather(), "vic", arrays)
    other = ksat([100.0, 500.0, 2000.0]).assign(expt=((), 5.0, {"units": "1"}))
    xr.testing.assert_equal(mixed, xdpl.simulate(weather(), "vic", other))


def test_units_are_converted():
    sim = xdpl.simulate(weather(), "vic", ksat([0.1, 0.5, 2.0], "m d-1"))
    xr.testing.assert_allclose(sim, xdpl.simulate(weather(), "vic", ksat([100.0, 500.0, 2000.0])), rtol=1e-12)
    cfmax = xr.DataArray(3.0, attrs={"units": "mm K-1 d-1"})
    warm = xdpl.simulate(weather(), "vic", {"cfmax": cfmax})
    xr.testing.assert_equal(warm, xdpl.simulate(weather(), "vic", {"cfmax": 3.0}))


def test_members_are_broadcast_and_come_back_first():
    values = np.array([[100.0, 500.0, 2000.0], [50.0, 70.0, 90.0]])
    theta = ksat(values, dims=("member", "basin"), coords=BASINS | {"member": ["a", "b"]})
    sim = xdpl.simulate(weather(), "vic", theta)
    assert sim["runoff"].dims == ("member", "time", "basin")
    assert list(sim["member"].values) == ["a", "b"]
    for i, member in enumerate(sim["member"].values):
        alone = xdpl.simulate(weather(), "vic", ksat(values[i]))
        xr.testing.assert_equal(sim.sel(member=member, drop=True), alone)


def test_members_alone_and_parameters_in_time():
    members = xdpl.simulate(weather(), "vic", ksat([100.0, 900.0], dims="member"))
    assert members["runoff"].dims == ("member", "time", "basin")
    xr.testing.assert_equal(members.isel(member=1), xdpl.simulate(weather(), "vic", {"ksat": 900.0}))
    days = weather()["time"]
    moving = ksat(np.linspace(50.0, 500.0, 40), dims="time", coords={"time": days})
    sim = xdpl.simulate(weather(), "vic", moving)
    assert sim["runoff"].dims == ("time", "basin")
    assert not sim["runoff"].equals(xdpl.simulate(weather(), "vic", {"ksat": 50.0})["runoff"])


def test_sites_without_parameters_are_nan():
    # Also an output that does not depend on the parameter.
    sim = xdpl.simulate(weather(), "vic", ksat([100.0, np.nan, 2000.0]), outputs=["runoff", "snowpack"])
    for key in sim:
        assert sim[key].isnull().all("time").values.tolist() == [False, True, False]
        assert sim[key].isnull().any("time").values.tolist() == [False, True, False]


def test_auxiliary_coordinates_of_parameters_do_no_harm():
    theta = ksat([100.0, 500.0, 2000.0], coords=BASINS | {"gauge": ("basin", ["x", "y", "z"]), "epoch": 7})
    sim = xdpl.simulate(weather(), "vic", theta)
    assert set(sim.coords) == {"time", "basin"}


def test_attributes_and_bounds_of_given_parameters_are_kept_as_they_are():
    theta = ksat([100.0, 500.0, 2000.0])
    copy = theta.copy(deep=True)
    xdpl.simulate(weather(), "vic", theta)
    xr.testing.assert_identical(theta, copy)


def test_unknown_names():
    assert "fix: rename it to 'ksat'" in message({"k_sat": 100.0})
    text = message({"zz": 1.0})
    assert "zz: expected a parameter of 'vic': infilt, ds, dsmax" in text
    assert "fix: drop it" in text


def test_wrong_and_missing_units():
    assert "ksat: expected units convertible to 'mm d-1', got 'kg'" in message(ksat([1.0, 1.0, 1.0], "kg"))
    assert "got no units attribute" in message({"ksat": xr.DataArray(100.0)})


def test_out_of_bounds():
    text = message(ksat([5.0, 500.0, 9000.0]))
    assert "ksat: expected values in [10, 5000] mm d-1, got 2 outside, such as 5" in text
    assert 'fix: theta["ksat"].clip(10, 5000)' in text
    assert "got 1 outside, such as -1" in message({"tt": 0.0, "d1": -1.0})


def test_bounds_themselves_are_inside_in_single_precision():
    theta = {
        p.name: xr.DataArray(np.array([p.lower, p.upper], "f4"), dims="member", attrs={"units": p.units})
        for p in VIC().parameters
    }
    assert xdpl.simulate(weather(), "vic", theta)["runoff"].notnull().all()


@pytest.mark.parametrize("value", ["100", None, [100.0], 1 + 2j])
def test_neither_array_nor_number(value):
    assert "ksat: expected a DataArray with units or a number" in message({"ksat": value})


def test_resolve_completes_in_declared_order():
    problems = Problems("test")
    theta, defaulted = resolve(VIC(), {"ksat": 7e2}, problems)
    assert list(theta) == [p.name for p in VIC().parameters]
    assert "ksat" not in defaulted and len(defaulted) == len(theta) - 1
    assert theta["ksat"].item() == 700.0
    assert problems.found == []


def test_parameters_of_other_sites_are_refused():
    ds = weather()
    theta = xr.Dataset({"ksat": ("basin", [100.0, 200.0, 300.0], {"units": "mm d-1"})}, {"basin": [1, 2, 3]})
    with pytest.raises(InputErrors, match=r"ksat: expected the labels of the dataset .*reindex_like"):
        xdpl.simulate(ds, "vic", theta)
    xdpl.simulate(ds, "vic", theta.assign_coords(basin=ds["basin"]))
