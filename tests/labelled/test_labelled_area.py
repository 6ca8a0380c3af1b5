"""Volume flow in m3 s-1: divided by the area it comes from, wherever a depth is needed."""

import json

import dask
import numpy as np
import pint
import pytest
import xarray as xr
from helpers_learn import Bucket, quick, world
from model_cases import weather

import xdpl
from xdpl.errors import InputErrors

AREA = np.array([[50.0, 120.0, 400.0], [900.0, 75.0, 2000.0]])


def discharge(depth, area=AREA):
    """A depth in mm d-1 as m3 s-1, with nothing but units."""
    flow = depth.drop_attrs() * 1e-3 * (area * 1e6) / 86400.0
    return flow.assign_attrs(units="m3 s-1")


def gauged(name="area", **attrs):
    """The world of `helpers_learn` with runoff in m3 s-1 and the area in km2."""
    ds = world()
    ds["runoff"] = discharge(ds["runoff"])
    ds[name] = (("lat", "lon"), AREA.copy(), {"units": "km2"} | attrs)
    return ds


def by_cell_measures():
    ds = gauged("basins")
    ds["runoff"].attrs["cell_measures"] = "time: mean area: basins"
    return ds, None


WAYS = {
    "name": lambda: (gauged(), None),
    "cell_measures": by_cell_measures,
    "mapping": lambda: (gauged("basins"), {"area": "basins"}),
    "mapping first": lambda: (by_cell_measures()[0].assign(area=1.0), {"area": "basins"}),
    "cell_measures before a name": lambda: (by_cell_measures()[0].assign(area=1.0), None),
}


@pytest.fixture(scope="module")
def depth_fit():
    return quick()


@pytest.mark.parametrize("way", WAYS)
def test_a_target_is_learned_and_scored_as_a_depth(way, depth_fit, tmp_path):
    ds, mapping = WAYS[way]()
    fit = quick(ds, forcings=mapping)
    np.testing.assert_allclose(fit.history["loss"], depth_fit.history["loss"], rtol=1e-5)
    fit.save(tmp_path / "fit.zarr")
    # The fit knows its area: no mapping is needed again.
    scores = xdpl.load(tmp_path / "fit.zarr", model=Bucket()).evaluate(ds)
    wanted = depth_fit.evaluate(world())
    assert scores["rmse"].attrs["units"] == "mm d-1"
    xr.testing.assert_allclose(scores, wanted, rtol=1e-4)


def test_units_of_the_area_count():
    ds = gauged()
    in_metres = ds.assign(area=(ds["area"].drop_attrs() * 1e6).assign_attrs(units="m2"))
    a, b = quick(ds).evaluate(ds), quick(in_metres).evaluate(in_metres)
    xr.testing.assert_allclose(a, b, rtol=1e-5)


@pytest.mark.parametrize("kind", [np.int16, np.int32])
def test_integers_hold_the_quotient(kind):
    """An area of 2e9 m2 is more than the type of the flow holds."""
    ds = world().drop_vars("precipitation").assign(area=((), 2000.0, {"units": "km2"}))
    flow = np.arange(200, dtype=kind)
    ds["precipitation"] = ("time", flow, {"units": "m3 s-1"})
    sim = xdpl.simulate(ds, Bucket())
    plain = ds.assign(precipitation=("time", flow * 86.4 / 2000.0, {"units": "mm d-1"}))
    xr.testing.assert_allclose(sim, xdpl.simulate(plain, Bucket()), rtol=1e-12)


def rain_as_flow():
    ds = weather(("lat", "lon"), (2, 3))
    ds["precipitation"] = discharge(ds["precipitation"])
    ds["area"] = (("lat", "lon"), AREA.copy(), {"units": "km2"})
    return ds


def test_a_forcing_is_divided_and_said():
    ds = rain_as_flow()
    sim = xdpl.simulate(ds, "hbv")
    xr.testing.assert_allclose(sim, xdpl.simulate(weather(("lat", "lon"), (2, 3)), "hbv"), rtol=1e-9)
    assert json.loads(sim.attrs["forcings"])["area"] == "area"
    row = xdpl.check(ds, "hbv").rows[0]
    assert (row.found, row.has) == ("precipitation", "m3 s-1")
    assert row.action == "÷ area, converted: × 8.64e+07"


def test_mass_per_area_needs_no_area():
    ds = weather()
    ds["precipitation"] = (ds["precipitation"] / 86400.0).assign_attrs(units="kg m-2 s-1")
    check = xdpl.check(ds, "hbv")
    assert check.ok
    assert check.rows[0].action == "converted: × 86400"
    assert "area" not in json.loads(xdpl.simulate(ds, "hbv").attrs["forcings"])


def test_lazy_and_quantified(counter):
    ds, wanted = rain_as_flow(), xdpl.simulate(rain_as_flow(), "hbv")
    lazy = xdpl.simulate(ds.chunk(lat=1), "hbv")
    assert counter.calls == 0
    xr.testing.assert_equal(dask.compute(lazy)[0], wanted)
    registry = pint.UnitRegistry()
    quantities = {
        k: (ds[k].dims, registry.Quantity(ds[k].values, unit))
        for k, unit in (("precipitation", "m**3/s"), ("area", "km**2"))
    }
    sim = xdpl.simulate(ds.assign(quantities), "hbv")
    np.testing.assert_allclose(sim["streamflow"].data.magnitude, wanted["streamflow"], rtol=1e-12)


def test_sites_without_an_area_are_left_out():
    ds = rain_as_flow()
    ds["area"][0, 1] = np.nan
    sim = xdpl.simulate(ds, "hbv")["streamflow"]
    assert sim.isnull().all("time").values.tolist() == [[False, True, False], [False, False, False]]


def problems(call):
    with pytest.raises(InputErrors) as caught:
        call()
    return [str(e) for e in caught.value.exceptions]


def test_a_missing_area_and_the_line_that_repairs_it():
    ds = gauged("basins")
    (text,) = problems(lambda: quick(ds))
    assert "runoff: expected units convertible to 'mm d-1', or an area to divide by" in text
    assert "got 'm3 s-1' and no variable named 'area', convertible to 'm2'" in text
    fix = text.partition("fix: ")[2]
    assert "\n" not in fix
    exec(fix.replace("<variable>", "basins"), {"ds": ds})
    assert quick(ds).forcings["area"] == "basins"


def test_the_area_of_a_score_may_be_missing_too(depth_fit):
    (text,) = problems(lambda: depth_fit.evaluate(gauged("basins")))
    assert text.startswith("runoff: expected units convertible to 'mm d-1', or an area")


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_an_area_must_be_above_zero(value, depth_fit):
    ds = gauged()
    ds["area"][1, 2] = value
    for call in (lambda: quick(ds), lambda: depth_fit.evaluate(ds)):
        (text,) = problems(call)
        assert "area: expected an area above 0, got 1 sites with zero or less" in text
        scope = {"ds": ds.copy()}
        exec(text.partition("fix: ")[2], scope)
        assert scope["ds"]["area"].isnull().sum() == 1
    flow = rain_as_flow()
    flow["area"][0, 0] = value
    # A check looks at no values.
    assert xdpl.check(flow, "hbv").ok
    assert "area: expected an area above 0" in problems(lambda: xdpl.simulate(flow, "hbv"))[0]


def test_areas_that_cannot_be_used():
    # The cell of a river is not where its water comes from.
    (text,) = problems(lambda: quick(gauged("a", standard_name="cell_area")))
    assert "no variable named 'area'" in text

    (text,) = problems(lambda: quick(gauged(), forcings={"area": "nope"}))
    assert "the variable 'nope' named in forcings" in text

    ds = gauged()
    ds["runoff"].attrs["cell_measures"] = "area: gone"
    (text,) = problems(lambda: quick(ds))
    assert "the variable 'gone' named in cell_measures" in text

    (text,) = problems(lambda: quick(gauged(units="km")))
    assert "area: expected units convertible to 'm2', got 'km'" in text

    moving = gauged().assign(area=xr.ones_like(world()["runoff"]).assign_attrs(units="m2"))
    (text,) = problems(lambda: quick(moving))
    assert "area: expected an area with dims among ('lat', 'lon'), got dims ('time', 'lat', 'lon')" in text
