import dask
import numpy as np
import pint
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.evaluation import water_balance

FORCINGS = {"precipitation": "pr", "potential_evapotranspiration": "pet"}


def series(values, units="mm d-1", **attrs):
    return (("time", "basin"), np.array(values, float), {"units": units, **attrs})


@pytest.fixture
def ds():
    coords = {
        "time": xr.date_range("2001-01-01", periods=4),
        "basin": ["a", "b"],
        "lat": ("basin", [40.0, 41.0], {"units": "degrees_north"}),
    }
    return xr.Dataset(
        {
            "pr": series([[4, 0], [0, 0], [8, 0], [4, 0]], silly=1),
            "pet": series([[1, 1], [3, 1], [2, 1], [2, 1]]),
            "q": series([[1, 0], [1, 0], [np.nan, 0], [1, 0]]),
            "area": ("basin", [10.0, 20.0], {"units": "km2"}),
        },
        coords,
    )


@pytest.fixture
def sim(ds):
    values = {"evapotranspiration": series([[1, 0], [1, 0], [2, 0], [1, 0]])}
    return xr.Dataset({**values, "streamflow": series([[2, 0], [2, 0], [3, 0], [1, 0]])}, ds.coords)


def at_a(found):
    return {name: float(array[..., 0]) for name, array in found.items()}


def test_by_hand(ds, sim):
    found = water_balance(ds, sim, target="q", forcings=FORCINGS)
    want = {
        "precipitation": 4.0,
        "potential_evapotranspiration": 2.0,
        "aridity_index": 0.5,
        "evapotranspiration": 5 / 4,
        "streamflow": 2.0,
        "evaporative_index": 5 / 16,
        # On the days with observations: three of flow, of eight of precipitation.
        "observed_streamflow": 1.0,
        "observed_evaporative_index": 5 / 8,
    }
    assert at_a(found) == pytest.approx(want)
    assert list(found) == list(want)
    # No precipitation: no ratio.
    dry = found.isel(basin=1)
    assert (dry.precipitation, dry.evapotranspiration) == (0, 0)
    assert all(np.isnan(dry[k]) for k in want if k.endswith("index"))


def test_only_days_on_which_all_are_known(ds, sim):
    ds["pr"][0, 0] = np.nan
    sim["evapotranspiration"][1, 0] = np.nan
    found = at_a(water_balance(ds, sim, target="q", forcings=FORCINGS))
    # Forcings on days 1, 2, 3; the simulated on 2, 3; the observed on 1, 3.
    assert found["precipitation"] == 4 and found["aridity_index"] == pytest.approx(7 / 12)
    assert found["evapotranspiration"] == 1.5 and found["streamflow"] == 2
    assert found["evaporative_index"] == 3 / 12
    assert found["observed_evaporative_index"] == 1 - 2 / 4
    ds["q"][:] = np.nan
    assert np.isnan(at_a(water_balance(ds, target="q", forcings=FORCINGS))["observed_streamflow"])


def test_a_period_and_what_is_not_given(ds, sim):
    late = slice("2001-01-03", None)
    found = water_balance(ds, forcings=FORCINGS, time=late)
    assert list(found) == ["precipitation", "potential_evapotranspiration", "aridity_index"]
    assert at_a(found)["precipitation"] == 6
    found = water_balance(ds, sim[["evapotranspiration"]], forcings=FORCINGS, time=late)
    assert "streamflow" not in found and at_a(found)["evaporative_index"] == 3 / 12
    runoff = water_balance(ds, sim.rename(streamflow="runoff"), forcings=FORCINGS)
    assert at_a(runoff)["streamflow"] == 2


def test_units_area_and_attributes(ds, sim):
    other = ds.assign(q=(ds["q"] * ds["area"] / 86.4).assign_attrs(units="m3 s-1"))
    other["pr"] = (ds["pr"] / 86400).assign_attrs(units="kg m-2 s-1")
    # A mapping for a model names more than is needed.
    mapping = {**FORCINGS, "air_temperature": "tas"}
    wanted = water_balance(ds, sim, target="q", forcings=FORCINGS)
    xr.testing.assert_allclose(water_balance(other, sim, target="q", forcings=mapping), wanted)
    for name, array in wanted.items():
        assert set(array.attrs) == {"units", "long_name"}
        assert array.attrs["units"] == ("1" if name.endswith("index") else "mm d-1")
    assert wanted["lat"].attrs == {"units": "degrees_north"}


def test_members_order_and_quantities(ds, sim):
    wanted = water_balance(ds, sim, target="q", forcings=FORCINGS)
    members = xr.concat([sim, 2 * sim], "member")
    for array in members.values():
        array.attrs["units"] = "mm d-1"
    found = water_balance(ds, members, forcings=FORCINGS)
    assert found["evaporative_index"].dims == ("member", "basin")
    assert found["aridity_index"].dims == ("basin",)
    np.testing.assert_allclose(found["evaporative_index"][1], 2 * wanted["evaporative_index"])
    turned = water_balance(ds.transpose("basin", "time"), sim, target="q", forcings=FORCINGS)
    xr.testing.assert_allclose(turned, wanted)
    registry = pint.UnitRegistry()
    ds["pr"] = ds["pr"].copy(data=registry.Quantity(ds["pr"].values, "mm/day")).drop_attrs()
    quantified = water_balance(ds, sim, target="q", forcings=FORCINGS)
    assert quantified["evapotranspiration"].data.units == registry.Unit("mm/day")
    np.testing.assert_array_equal(quantified["aridity_index"].data.magnitude, wanted["aridity_index"])


def test_dask_stays_lazy(ds, sim):
    def refuse(*_, **__):
        raise AssertionError("computed too early")

    with dask.config.set(scheduler=refuse):
        lazy = water_balance(ds.chunk(basin=1), sim.chunk(basin=1, time=2), target="q", forcings=FORCINGS)
    assert all(array.chunks == ((1, 1),) for array in lazy.values())
    with dask.config.set(scheduler="synchronous"):
        wanted = water_balance(ds, sim, target="q", forcings=FORCINGS)
        xr.testing.assert_identical(lazy.compute(), wanted)


def test_every_problem_at_once(ds, sim):
    bad = sim.drop_vars("evapotranspiration").assign_coords(basin=["a", "c"])
    with pytest.raises(InputErrors, match="water_balance cannot run") as caught:
        water_balance(ds.drop_vars("pet"), bad, target="flow", forcings={"precipitation": "pr"})
    found = {e.subject: str(e) for e in caught.value.exceptions}
    assert set(found) == {"potential_evapotranspiration", "simulated", "target"}
    assert "ds.dpl.pet" in found["potential_evapotranspiration"]
    assert "name one of pr, q, area" in found["target"]
    assert "outputs=" in found["simulated"]
    ds["q"].attrs["units"] = "K"
    ds["pr"] = ds["pr"].mean("time").assign_attrs(units="mm d-1")
    with pytest.raises(InputErrors) as caught:
        water_balance(ds, target="q", forcings=FORCINGS)
    assert [e.subject for e in caught.value.exceptions] == ["precipitation", "q"]
