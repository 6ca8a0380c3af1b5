import dask
import numpy as np
import pint
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.evaluation import baseflow_index, site_correlation
from xdpl.evaluation.baseflow import separate

from .formulas import expected_baseflow


@pytest.fixture
def flow():
    rng = np.random.default_rng(2)
    rain = rng.gamma(0.3, 8.0, (200, 2, 3))
    values = np.zeros((200, 2, 3))
    for day in range(1, 200):
        values[day] = 0.8 * values[day - 1] + 0.2 * rain[day]
    coords = {
        "time": xr.date_range("2001-01-01", periods=200),
        "lat": ("lat", [40.0, 41.0], {"units": "degrees_north"}),
        "area": (("lat", "lon"), np.ones((2, 3)), {"units": "km2"}),
    }
    return xr.DataArray(values + 0.1, coords, ("time", "lat", "lon"), "q", {"units": "mm d-1", "silly": 1})


def test_of_a_model_by_hand():
    flow = xr.DataArray([4.0, 2.0, np.nan, 10.0, 4.0], dims="time")
    base = xr.DataArray([1.0, 1.0, 5.0, np.nan, 3.0], dims="time")
    # Known together on days 0, 1 and 4: (1 + 1 + 3) / (4 + 2 + 4).
    assert baseflow_index(flow, base) == 0.5
    assert np.isnan(baseflow_index(0 * flow, base))
    assert np.isnan(baseflow_index(flow, base * np.nan))


def test_one_pass_by_hand():
    # A single unit of flow: c = 0.0375 on the day, then 0.0375 · (1 + 0.925), but no flow is left.
    # Backward the same again: 0.0375² on the day. And forward once more: 0.0375³.
    pulse = np.zeros((1, 101))
    pulse[0, 50] = 1.0
    found = separate(pulse)
    assert found[0, 50] == pytest.approx(0.0375**3)
    assert found.sum() == found[0, 50]


def test_the_filter_against_a_loop(flow):
    plain = flow.values.reshape(200, 6).T
    want = np.stack([expected_baseflow(series) for series in plain])
    np.testing.assert_allclose(separate(plain), want, rtol=1e-9)
    found = baseflow_index(flow)
    assert found.dims == ("lat", "lon")
    np.testing.assert_allclose(found, (want.sum(1) / plain.sum(1)).reshape(2, 3))
    assert ((found > 0.2) & (found < 0.9)).all()


def test_steady_flow_is_baseflow(flow):
    assert baseflow_index(xr.full_like(flow, 0.3).isel(lat=0, lon=0)) == pytest.approx(1)
    assert np.isnan(baseflow_index(xr.zeros_like(flow))).all()


def test_gaps(flow):
    gappy = flow.copy(deep=True)
    # Stretches of 80 and 100 days, and one of 5 that is left out.
    gappy[80:90, 0, 0] = gappy[95:100, 0, 0] = np.nan
    # 30 days are too short, 31 are not.
    gappy[30:, 0, 1] = np.nan
    gappy[31:, 0, 2] = np.nan
    gappy[:, 1, 0] = np.nan
    found = baseflow_index(gappy)
    parts = [flow.values[:80, 0, 0], flow.values[100:, 0, 0]]
    base = sum(expected_baseflow(part).sum() for part in parts)
    assert found[0, 0] == pytest.approx(base / sum(part.sum() for part in parts))
    assert np.isnan(found[0, 1]) and np.isnan(found[1, 0])
    short = flow.values[:31, 0, 2]
    assert found[0, 2] == pytest.approx(expected_baseflow(short).sum() / short.sum())
    # Other sites are as they were.
    np.testing.assert_array_equal(found[1, 1:], baseflow_index(flow)[1, 1:])


def test_lazy_and_any_order(flow):
    base = 0.4 * flow.assign_attrs(units="mm d-1")
    wanted = baseflow_index(flow)

    def refuse(*_, **__):
        raise AssertionError("computed too early")

    with dask.config.set(scheduler=refuse):
        lazy = baseflow_index(flow.chunk(lat=1, time=50))
        ratio = baseflow_index(flow.chunk(lat=1), base.chunk(lat=1))
    assert lazy.chunks[0] == (1, 1) and ratio.chunks == ((1, 1), (3,))
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_allclose(lazy.compute(), wanted)
        np.testing.assert_allclose(ratio, 0.4)
    turned = baseflow_index(flow.transpose("lon", "time", "lat"))
    assert turned.dims == ("lon", "lat")
    xr.testing.assert_allclose(turned.transpose("lat", "lon"), wanted)
    step = baseflow_index(flow.rename(time="step"), dim="step")
    np.testing.assert_array_equal(step, wanted)


def test_attributes_and_units(flow):
    found = baseflow_index(flow)
    assert found.name == "baseflow_index"
    assert found.attrs == {"units": "1", "long_name": "baseflow index"}
    assert found.lat.attrs == {"units": "degrees_north"} and found.area.attrs == {"units": "km2"}
    metres = (flow / 2000).assign_attrs(units="m d-1")
    np.testing.assert_allclose(baseflow_index(flow, metres), 0.5)
    registry = pint.UnitRegistry()
    quantity = flow.copy(data=registry.Quantity(flow.values, "mm/day")).drop_attrs()
    assert baseflow_index(quantity).data.units == registry.dimensionless
    np.testing.assert_array_equal(baseflow_index(quantity).data.magnitude, found)


def test_members(flow):
    members = xr.concat([flow, 2 * flow], "member")
    np.testing.assert_allclose(baseflow_index(members)[1], baseflow_index(flow))
    np.testing.assert_allclose(baseflow_index(members, flow)[1], 0.5)


def test_problems(flow):
    with pytest.raises(InputErrors, match="streamflow: expected a dim 'day', got time, lat, lon"):
        baseflow_index(flow, dim="day")
    with pytest.raises(InputErrors, match="baseflow: expected units convertible to 'mm d-1'") as caught:
        baseflow_index(flow, flow.assign_attrs(units="K").assign_coords(lat=[1.0, 2.0]))
    assert [e.subject for e in caught.value.exceptions] == ["baseflow", "baseflow"]
    with pytest.raises(InputErrors, match=r"baseflow: expected only dims of streamflow \(time\)"):
        baseflow_index(flow[:, 0, 0], flow)


def test_correlation_over_sites():
    rng = np.random.default_rng(0)
    observed = xr.DataArray(rng.random((4, 5)), {"y": np.arange(4)}, ("y", "x"), attrs={"units": "1"})
    simulated = observed + 0.3 * xr.DataArray(rng.random((4, 5)), {"y": np.arange(4)}, ("y", "x"))
    observed[0, 0] = np.nan
    simulated[3, 4] = np.nan
    known = ~np.isnan(observed.values + simulated.values)
    want = np.corrcoef(simulated.values[known], observed.values[known])[0, 1]
    found = site_correlation(simulated, observed)
    assert found.dims == () and float(found) == pytest.approx(want)
    assert found.attrs == {
        "units": "1",
        "long_name": "Pearson correlation over sites of simulated and observed",
    }
    members = site_correlation(xr.concat([simulated, -simulated], "member"), observed)
    np.testing.assert_allclose(members, [want, -want])
    assert site_correlation(simulated.chunk(y=1), observed).chunks == ()
    assert float(site_correlation(simulated.chunk(y=1), observed)) == pytest.approx(want)
    assert np.isnan(site_correlation(simulated, xr.ones_like(observed)))
    assert np.isnan(site_correlation(simulated, observed, minimum=19))
    with pytest.raises(InputErrors, match="site_correlation cannot run") as caught:
        site_correlation(simulated.rename(x="z"), observed.expand_dims(time=2))
    assert [e.subject for e in caught.value.exceptions] == ["observed", "simulated", "observed"]
