import dask
import numpy as np
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.evaluation import flow_metrics

from .formulas import expected_flow

NAMES = ["percent_bias", "fhv", "fms", "flv", "rmse_low", "rmse_high", "peak_timing", "count"]
PERCENT = NAMES[:4]


def series(values, units="mm d-1"):
    values = np.asarray(values, float)
    dates = xr.date_range("2001-01-01", periods=len(values))
    return xr.DataArray(values, {"time": dates}, ("time",), attrs={"units": units})


def humps(length, peaks, height=10.0):
    """Flow of 1 with a symmetric peak, two days wide on either side, on each of some days."""
    flow = np.ones(length)
    for day in peaks:
        flow[day - 2 : day + 3] += height * np.array([0.2, 0.5, 1.0, 0.5, 0.2])
    return flow


@pytest.fixture
def pair():
    rng = np.random.default_rng(4)
    coords = {
        "time": xr.date_range("2001-01-01", periods=300),
        "lat": ("lat", [40.0, 41.0, 42.0], {"units": "degrees_north"}),
        "lon": [5.0, 6.0],
        "area": (("lat", "lon"), np.ones((3, 2)), {"units": "km2"}),
    }
    observed = xr.DataArray(rng.gamma(0.5, 3.0, (300, 3, 2)), coords, ("time", "lat", "lon"))
    simulated = observed * rng.lognormal(0.1, 0.5, observed.shape)
    simulated[::7, 0, 0] = np.nan
    observed[::5, 1, 0] = np.nan
    observed[6:90, 2, 1] = np.nan
    return simulated.assign_attrs(units="mm d-1", silly=1), observed.assign_attrs(units="mm d-1", silly=1)


def test_by_hand():
    # Observed 1 .. 100 in a shuffled order, simulated twice as much with the order kept.
    order = np.random.default_rng(0).permutation(100)
    observed = series(1.0 + order)
    found = flow_metrics(2.0 * observed, observed)
    # Everything is 100 % too much; ratios of flows, and so the shape of the curve, are right.
    assert found.percent_bias == pytest.approx(100)
    assert found.fhv == pytest.approx(100)
    assert found.fms == pytest.approx(0, abs=1e-9)
    assert found.flv == pytest.approx(0, abs=1e-9)
    # The errors are the flows: 1 .. 30 and 99, 100. The sum of squares to 30 is 30 · 31 · 61 / 6.
    assert found.rmse_low == pytest.approx(np.sqrt(30 * 31 * 61 / 6 / 30))
    assert found.rmse_high == pytest.approx(np.sqrt((99**2 + 100**2) / 2))
    assert found["count"] == 100


def test_segments_by_hand():
    # Flows e^1 .. e^10 ten times each; of 100, 30 are low: ten each of e^1, e^2, e^3.
    observed = series(np.exp(np.repeat(np.arange(1.0, 11.0), 10)))
    # Half the logarithm: sum of logs above the lowest is 10 · (0.5 + 1) instead of 10 · (1 + 2).
    found = flow_metrics(series(np.sqrt(observed.values)), observed)
    assert found.flv == pytest.approx(50)
    # Exceeded 20 % of the time: the 0.8 quantile, between the 80th flow, e^8, and the 81st, e^9, at
    # 0.8 · 99 = 79.2; and the 0.3 quantile at 29.7, between e^3 and e^4.
    steep = np.log((0.8 * np.exp(8) + 0.2 * np.exp(9)) / (0.3 * np.exp(3) + 0.7 * np.exp(4)))
    flat = np.log((0.8 * np.exp(4) + 0.2 * np.exp(4.5)) / (0.3 * np.exp(1.5) + 0.7 * np.exp(2)))
    assert found.fms == pytest.approx(100 * (flat - steep) / steep)
    # Two flows of e^10, simulated as e^5.
    assert found.fhv == pytest.approx(100 * (np.exp(5) - np.exp(10)) / np.exp(10))


def test_sites_on_a_grid(pair):
    simulated, observed = pair
    found = flow_metrics(simulated, observed)
    assert list(found.data_vars) == NAMES
    for lat in range(3):
        for lon in range(2):
            want = expected_flow(simulated.values[:, lat, lon], observed.values[:, lat, lon])
            for name, value in want.items():
                assert found[name].dims == ("lat", "lon")
                np.testing.assert_allclose(found[name][lat, lon], value, rtol=1e-9, err_msg=name)


def test_values_outside_pairs_do_not_matter(pair):
    simulated, observed = pair
    loud = simulated.where(observed.notnull(), 1e6)
    xr.testing.assert_identical(flow_metrics(loud, observed), flow_metrics(simulated, observed))


def test_dim_order_members_and_other_dims(pair):
    simulated, observed = pair
    reference = flow_metrics(simulated, observed)
    turned = flow_metrics(simulated.transpose("lon", "time", "lat"), observed)
    assert turned.fhv.dims == ("lon", "lat")
    xr.testing.assert_allclose(turned.transpose("lat", "lon"), reference)
    members = xr.concat([simulated, 2 * simulated], "member").assign_attrs(units="mm d-1")
    found = flow_metrics(members, observed)
    assert found.flv.dims == ("member", "lat", "lon")
    xr.testing.assert_allclose(found.isel(member=0), reference)
    step = flow_metrics(simulated.rename(time="step"), observed.rename(time="step"), dim="step")
    xr.testing.assert_allclose(step, reference)


@pytest.mark.parametrize(("shift", "lag"), [(0, 0), (1, 1), (-2, 2), (3, 3)])
def test_lag_of_peaks(shift, lag):
    observed = humps(700, [50, 200, 400, 600])
    found = flow_metrics(series(np.roll(observed, shift)), series(observed))
    assert found.peak_timing == lag


def test_mean_lag_of_peaks_by_hand():
    # Late by one day, early by two, in time, and a lower peak within the window: 3/4 of a day.
    observed, simulated = humps(700, [50, 200, 400, 600]), humps(700, [51, 198, 400, 600])
    simulated[603] = 5.0
    assert flow_metrics(series(simulated), series(observed)).peak_timing == 0.75


def test_peaks_that_do_not_count():
    observed = humps(700, [50, 400])
    simulated = humps(700, [51, 400])
    observed[200:205] += 0.5  # stands out by less than a standard deviation
    observed[450] += 9.0  # too close to a higher one
    assert flow_metrics(series(simulated), series(observed)).peak_timing == 0.5
    # A gap within three days takes a peak out, missing on either side or from the dates.
    for broken in (simulated, observed):
        gap = [series(a) for a in (simulated, observed)]
        gap[broken is observed][53] = np.nan
        assert flow_metrics(*gap).peak_timing == 0
    without = [series(a).drop_isel(time=53) for a in (simulated, observed)]
    assert flow_metrics(*without).peak_timing == 0
    # Peaks at the ends have no whole window.
    assert np.isnan(flow_metrics(series(humps(300, [2])), series(humps(300, [2]))).peak_timing)


def test_a_simulation_without_a_peak_has_the_first_day_of_the_window():
    assert flow_metrics(series(np.ones(300)), series(humps(300, [100]))).peak_timing == 3


def test_other_calendars():
    dates = xr.date_range("2001-01-01", periods=300, calendar="360_day", use_cftime=True)
    observed = series(humps(300, [100])).assign_coords(time=dates)
    assert flow_metrics(observed.roll(time=1), observed).peak_timing == 1


def test_rivers_that_fall_dry():
    # 40 dry days of 100: the low segment is flat at zero, so that nothing can be said of it.
    flow = np.concatenate([np.zeros(40), np.arange(1.0, 61.0)])
    found = flow_metrics(series(flow + 1), series(flow))
    assert np.isnan(found.flv)
    assert found.rmse_low == 1
    # 20 dry days: logarithms are those of a millionth of the mean.
    flow = np.concatenate([np.zeros(20), np.arange(1.0, 81.0)])
    floor = 1e-6 * flow.mean()
    above = np.log(np.arange(1.0, 11.0) / floor).sum()
    found = flow_metrics(series(np.where(flow > 0, flow, floor / 10)), series(flow))
    assert found.flv == pytest.approx(0, abs=1e-9)
    # Simulated with 1 where it is dry: the curve has 21 ones, then 2 .. 10 above them.
    found = flow_metrics(series(np.where(flow > 0, flow, 1.0)), series(flow))
    assert found.flv == pytest.approx(-100 * (np.log(np.arange(2.0, 11.0)).sum() - above) / above)


def test_no_flow_at_all():
    dry, some = series(np.zeros(120)), series(np.arange(120.0))
    found = flow_metrics(some, dry)
    assert all(np.isnan(found[name]) for name in [*PERCENT, "peak_timing"])
    assert found.rmse_high == pytest.approx(np.sqrt((np.arange(120.0) ** 2).mean()))
    found = flow_metrics(dry, some)
    assert found.percent_bias == found.fhv == found.fms == -100
    assert found.flv == 100


def test_constant_flow():
    constant, other = series(np.full(150, 0.1)), series(np.linspace(0.1, 1, 150))
    found = flow_metrics(other, constant)
    assert all(np.isnan(found[name]) for name in ["fms", "flv", "peak_timing"])
    assert found.fhv == pytest.approx(100 * (other[-3:].mean() - 0.1) / 0.1)
    found = flow_metrics(constant, other)
    assert found.fms == -100 and found.flv == 100


def test_few_pairs(pair):
    simulated, observed = (a.copy(deep=True) for a in pair)
    observed[99:, 0, 0] = np.nan
    observed[:] = observed.where(observed.lat != 41.0)
    found = flow_metrics(simulated, observed)
    np.testing.assert_array_equal(found["count"], [[84, 300], [0, 0], [300, 216]])
    for name in NAMES[:6]:
        np.testing.assert_array_equal(found[name].isnull(), found["count"] < 100, err_msg=name)
    few = flow_metrics(simulated, observed, minimum=84)
    want = expected_flow(simulated.values[:, 0, 0], observed.values[:, 0, 0])
    for name in NAMES[:6]:
        np.testing.assert_allclose(few[name][0, 0], want[name], rtol=1e-9)
    # Three pairs: one low, one high.
    one = flow_metrics(series([2.0, 1.0, 6.0]), series([1.0, 2.0, 4.0]), minimum=2)
    assert (one.rmse_low, one.rmse_high) == (1, 2)
    assert one.fhv == 50


@pytest.mark.parametrize("length", [0, 1])
def test_no_pairs(length):
    empty = xr.DataArray(np.ones((length, 2)), dims=("time", "site"))
    assert flow_metrics(empty, empty).fhv.isnull().all()
    assert flow_metrics(series(empty[:, 0]), series(empty[:, 0]))["count"] == length


def test_a_diverged_run_shows(pair):
    simulated, observed = pair
    simulated = simulated.copy(deep=True)
    simulated[100, 0, 1] = np.inf
    found = flow_metrics(simulated, observed)
    assert found.fhv[0, 1] == found.percent_bias[0, 1] == np.inf
    assert np.isfinite(found.fhv).sum() == 5


def test_units_and_attributes(pair):
    simulated, observed = pair
    found = flow_metrics(simulated, observed)
    for name in NAMES:
        assert set(found[name].attrs) == {"units", "long_name"}, name
    units = [found[name].attrs["units"] for name in NAMES]
    assert units == [*["percent"] * 4, "mm d-1", "mm d-1", "d", "1"]
    assert "10.1029/2007WR006716" in found.attrs["references"]
    assert found.lat.attrs == {"units": "degrees_north"}
    assert found.area.attrs == {"units": "km2"}
    metres = (simulated / 1000).assign_attrs(units="m d-1")
    xr.testing.assert_allclose(flow_metrics(metres, observed), found)
    with pytest.raises(InputErrors, match="simulated: expected units convertible to 'mm d-1'"):
        flow_metrics(simulated.assign_attrs(units="K"), observed)


def test_quantities(pair):
    import pint

    registry = pint.UnitRegistry()
    simulated, observed = (a.copy(data=registry.Quantity(a.values, "mm/day")).drop_attrs() for a in pair)
    found = flow_metrics(simulated, observed)
    assert found.rmse_low.data.units == registry.Unit("mm/day")
    assert found.peak_timing.data.units == registry.Unit("day")
    assert found.fhv.data.units == registry.Unit("percent")
    np.testing.assert_array_equal(found.fhv.data.magnitude, flow_metrics(*pair).fhv)


def test_dask_stays_lazy(pair):
    simulated, observed = pair
    reference = flow_metrics(simulated, observed)

    def refuse(*_, **__):
        raise AssertionError("computed too early")

    with dask.config.set(scheduler=refuse):
        lazy = flow_metrics(simulated.chunk(lat=1, time=70), observed.chunk(lon=1))
    assert all(variable.chunks is not None for variable in lazy.data_vars.values())
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_identical(lazy.compute(), reference)


def test_all_problems_are_listed(pair):
    simulated, observed = pair
    with pytest.raises(InputErrors, match="flow_metrics cannot run") as caught:
        flow_metrics(simulated, observed.rename(lat="y"), dim="step", minimum=1)
    assert [e.subject for e in caught.value.exceptions] == ["simulated", "observed", "observed", "minimum"]
    with pytest.raises(InputErrors, match="same labels along shared dims"):
        flow_metrics(simulated, observed.isel(time=slice(1, None)))


def test_dates_must_be_days(pair):
    hours = xr.date_range("2001-01-01", periods=300, freq="6h")
    with pytest.raises(InputErrors, match=r"time: expected increasing dates.*got 0.25 days after 2001-01-01"):
        flow_metrics(*(a.assign_coords(time=hours) for a in pair))
    back = pair[0].time.values[::-1]
    with pytest.raises(InputErrors, match="got -1 days"):
        flow_metrics(*(a.assign_coords(time=back) for a in pair))
    # Some seasons only.
    some = [a.where(a.time.dt.month < 4, drop=True) for a in pair]
    assert flow_metrics(*some, minimum=50).fhv.notnull().any()
