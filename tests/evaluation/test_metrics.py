import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from xdpl.errors import InputErrors
from xdpl.evaluation import metrics, pooled

from .formulas import expected

NAMES = ["rmse", "ubrmse", "bias", "correlation", "nse", "kge_2009", "kge_2012", "count"]
SILLY = {"units": "m3 m-3", "standard_name": "air_temperature", "long_name": "silly", "valid_max": 3}


@pytest.fixture
def pair():
    rng = np.random.default_rng(1)
    coords = {
        "time": xr.date_range("2015-01-01", periods=60),
        "lat": ("lat", [40.0, 41.0, 42.0], {"units": "degrees_north"}),
        "lon": [5.0, 6.0],
        "area": (("lat", "lon"), np.ones((3, 2)), {"units": "km2"}),
    }
    dims = ("time", "lat", "lon")
    observed = xr.DataArray(rng.random((60, 3, 2)) + 0.2, coords, dims, "soil_moisture", SILLY)
    noise = 0.3 * rng.standard_normal(observed.shape) + 0.1
    simulated = (0.8 * observed + noise).rename("sim").assign_attrs(SILLY)
    return simulated, observed


def holes(simulated, observed):
    """NaN in one, the other, both; each site differently."""
    simulated, observed = simulated.copy(deep=True), observed.copy(deep=True)
    simulated[::7, 0, 0] = np.nan
    observed[::5, 1, 0] = np.nan
    simulated[3:9, 2, 1] = np.nan
    observed[6:20, 2, 1] = np.nan
    return simulated, observed


def check_sites(found, simulated, observed):
    for lat in range(3):
        for lon in range(2):
            want = expected(
                simulated.transpose("time", "lat", "lon").values[:, lat, lon],
                observed.transpose("time", "lat", "lon").values[:, lat, lon],
            )
            for name in NAMES:
                got = found[name].transpose("lat", "lon").values[lat, lon]
                np.testing.assert_allclose(got, want[name], rtol=1e-10, err_msg=name)


def test_by_hand():
    # mean 2 and 3, variance 2/3 and 8/3, covariance 4/3; errors 0, 1, 2.
    observed = xr.DataArray([1.0, 2.0, 3.0], dims="time")
    simulated = xr.DataArray([1.0, 3.0, 5.0], dims="time")
    found = metrics(simulated, observed, minimum=3)
    assert found.rmse == pytest.approx(np.sqrt(5 / 3))
    assert found.bias == pytest.approx(1.0)
    assert found.ubrmse == pytest.approx(np.sqrt(2 / 3))
    assert found.correlation == pytest.approx(1.0)
    assert found.nse == pytest.approx(1 - 5 / 2)
    assert found.kge_2009 == pytest.approx(1 - np.sqrt(1**2 + 0.5**2))
    assert found.kge_2012 == pytest.approx(1 - np.sqrt((2 / 1.5 - 1) ** 2 + 0.5**2))
    assert found["count"] == 3


def test_sites_on_a_grid(pair):
    found = metrics(*pair)
    assert list(found.data_vars) == NAMES
    assert all(variable.dims == ("lat", "lon") for variable in found.data_vars.values())
    check_sites(found, *pair)


def test_missing_pairs_are_left_out_of_both(pair):
    simulated, observed = holes(*pair)
    found = metrics(simulated, observed)
    check_sites(found, simulated, observed)
    # 60 less: every 7th, every 5th, 3..19.
    np.testing.assert_array_equal(found["count"], [[51, 60], [48, 60], [60, 43]])


def test_values_outside_pairs_do_not_matter(pair):
    simulated, observed = holes(*pair)
    loud = simulated.where(observed.notnull(), 1e6)
    xr.testing.assert_identical(metrics(loud, observed), metrics(simulated, observed))


def test_dim_order_of_either_is_irrelevant(pair):
    simulated, observed = holes(*pair)
    reference = metrics(simulated, observed)
    turned = metrics(simulated.transpose("lon", "time", "lat"), observed.transpose("lat", "lon", "time"))
    assert turned.rmse.dims == ("lon", "lat")
    xr.testing.assert_allclose(turned.transpose("lat", "lon"), reference, rtol=1e-13)


def test_inputs_are_not_changed(pair):
    simulated, observed = holes(*pair)
    before = simulated.copy(deep=True), observed.copy(deep=True)
    metrics(simulated, observed)
    xr.testing.assert_identical(simulated, before[0])
    xr.testing.assert_identical(observed, before[1])


def test_single_series_and_other_dim(pair):
    simulated, observed = (a.isel(lat=0, lon=0) for a in pair)
    found = metrics(simulated, observed)
    assert found.rmse.dims == ()
    assert found.nse == pytest.approx(expected(simulated, observed)["nse"])
    turned = metrics(simulated.rename(time="step"), observed.rename(time="step"), dim="step")
    assert turned.nse == found.nse


def test_members_stay_as_a_dim(pair):
    simulated, observed = pair
    members = xr.concat([simulated, 2 * simulated], "member")
    found = metrics(members, observed)
    assert found.rmse.dims == ("member", "lat", "lon")
    np.testing.assert_allclose(found.rmse.isel(member=1), metrics(2 * simulated, observed).rmse)
    assert pooled(members, observed)["count"] == 720


def test_float32_is_computed_in_float64():
    rng = np.random.default_rng(0)
    observed = xr.DataArray((300 + 0.01 * rng.random(5000)).astype("f4"), dims="time")
    simulated = xr.DataArray((300 + 0.01 * rng.random(5000)).astype("f4"), dims="time")
    found = metrics(simulated, observed)
    want = expected(simulated.values, observed.values)
    assert all(found[name].dtype == np.float64 for name in NAMES[:-1])
    for name in NAMES:
        np.testing.assert_allclose(found[name], want[name], rtol=1e-8, err_msg=name)


def test_too_few_pairs(pair):
    simulated, observed = (a.copy(deep=True) for a in pair)
    observed[9:, 0, 0] = np.nan
    observed[10:, 0, 1] = np.nan
    found = metrics(simulated, observed)
    np.testing.assert_array_equal(found["count"].values[0], [9, 10])
    for name in NAMES[:-1]:
        assert np.isnan(found[name][0, 0]), name
        assert np.isfinite(found[name][0, 1]), name
    assert np.isfinite(metrics(simulated, observed, minimum=9).kge_2012[0, 0])


@pytest.mark.parametrize("length", [0, 1, 9])
def test_no_site_with_enough_pairs(length):
    short = xr.DataArray(np.ones((length, 2)), dims=("time", "site"))
    found = metrics(short, short)
    assert found.rmse.isnull().all()
    np.testing.assert_array_equal(found["count"], [length, length])


def test_no_sites():
    empty = xr.DataArray(np.ones((20, 0)), dims=("time", "site"))
    assert metrics(empty, empty).rmse.shape == (0,)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 0.0, 1e8])
def test_constant_observations(value):
    rng = np.random.default_rng(0)
    observed = xr.DataArray(np.full(37, value), dims="time")
    simulated = observed + xr.DataArray(rng.random(37), dims="time")
    found = metrics(simulated, observed)
    assert all(np.isnan(found[name]) for name in ["correlation", "nse", "kge_2009", "kge_2012"])
    assert found.rmse == pytest.approx(np.sqrt(((simulated - observed) ** 2).mean()))
    assert all(
        np.isnan(metrics(observed, observed)[n]) for n in ["correlation", "nse", "kge_2009", "kge_2012"]
    )


def test_constant_simulation():
    observed = xr.DataArray(np.random.default_rng(0).random(37), dims="time")
    found = metrics(xr.full_like(observed, 0.1), observed)
    assert all(np.isnan(found[name]) for name in ["correlation", "kge_2009", "kge_2012"])
    assert found.nse == pytest.approx(1 - ((observed - 0.1) ** 2).mean() / observed.var())


def test_zero_means_leave_kge_undefined():
    zero_mean = xr.DataArray(np.tile([-1.0, 1.0], 10), dims="time")
    other = xr.DataArray(np.arange(20.0), dims="time")
    found = metrics(other, zero_mean)
    assert np.isnan(found.kge_2009)
    assert np.isnan(found.kge_2012)
    assert np.isfinite(found.nse)
    found = metrics(zero_mean, other)
    assert np.isfinite(found.kge_2009)
    assert np.isnan(found.kge_2012)


def test_a_diverged_run_shows():
    observed = xr.DataArray(np.arange(20.0), dims="time")
    simulated = observed.where(observed < 19, np.inf)
    found = metrics(simulated, observed)
    assert found.rmse == np.inf
    assert found.bias == np.inf
    assert found.nse == -np.inf


def test_attributes_are_our_own(pair):
    found = metrics(*pair)
    for name in NAMES:
        assert set(found[name].attrs) == {"units", "long_name"}, name
        assert found[name].attrs["long_name"] != "silly"
        assert found[name].attrs["units"] == ("m3 m-3" if name in NAMES[:3] else "1"), name
        assert found[name].encoding == {}
    assert set(found.attrs) == {"comment", "references"}
    assert "10.1016/j.jhydrol.2012.01.011" in found.attrs["references"]
    assert found.lat.attrs == {"units": "degrees_north"}
    assert found.area.attrs == {"units": "km2"}


def test_no_units_are_made_up(pair):
    simulated, observed = pair
    assert "units" not in metrics(simulated, observed.drop_attrs()).rmse.attrs


def test_units_are_converted_to_those_observed(pair):
    simulated, observed = (a.assign_attrs(units="mm d-1") for a in pair)
    metres = (simulated / 1000).assign_attrs(units="m d-1")
    xr.testing.assert_allclose(metrics(metres, observed), metrics(simulated, observed), rtol=1e-9)
    with pytest.raises(InputErrors, match="simulated: expected units convertible to 'mm d-1'"):
        metrics(simulated.assign_attrs(units="K"), observed)


def test_result_goes_to_disk(pair, tmp_path):
    # Chunks of the input's file must not follow it into the output's.
    simulated, observed = pair
    for array in pair:
        array["lat"].encoding["chunks"] = array["area"].encoding["chunks"] = (77, 77)
    found = metrics(simulated.chunk(lat=1), observed)
    assert all(variable.encoding == {} for variable in found.variables.values())
    found.to_zarr(tmp_path / "scores.zarr", consolidated=False)
    with xr.open_zarr(tmp_path / "scores.zarr", consolidated=False) as back:
        xr.testing.assert_identical(back.compute(), found.compute())


def test_dask_stays_lazy(pair):
    simulated, observed = holes(*pair)
    reference = metrics(simulated, observed)

    def refuse(*_, **__):
        raise AssertionError("computed too early")

    with dask.config.set(scheduler=refuse):
        lazy = metrics(simulated.chunk(lat=1, time=25), observed.chunk(lon=1))
        mixed = metrics(simulated.chunk(lat=1), observed)
        one = pooled(simulated.chunk(lat=1), observed)
    assert all(variable.chunks is not None for variable in lazy.data_vars.values())
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_allclose(lazy.compute(), reference, rtol=1e-13)
        xr.testing.assert_allclose(mixed.compute(), reference, rtol=1e-13)
        xr.testing.assert_allclose(one.compute(), pooled(simulated, observed), rtol=1e-13)
    assert lazy.rmse.attrs == reference.rmse.attrs


def test_pooled(pair):
    simulated, observed = holes(*pair)
    found = pooled(simulated, observed.transpose("lon", "time", "lat"))
    want = expected(simulated.values.ravel(), observed.values.ravel())
    for name in NAMES:
        assert found[name].dims == ()
        np.testing.assert_allclose(found[name], want[name], rtol=1e-10, err_msg=name)
    assert found.rmse.attrs["units"] == "m3 m-3"
    assert np.isnan(pooled(simulated, observed, minimum=323).rmse)


def test_all_problems_are_listed(pair):
    simulated, observed = pair
    with pytest.raises(InputErrors) as caught:
        metrics(simulated, observed.rename(lat="y"), dim="step", minimum=1)
    assert [e.subject for e in caught.value.exceptions] == ["simulated", "observed", "observed", "minimum"]


@pytest.mark.parametrize("call", [metrics, pooled])
def test_labels_must_agree(pair, call):
    simulated, observed = pair
    for other in (observed.isel(time=slice(1, None)), observed.assign_coords(lat=observed.lat + 1e-6)):
        with pytest.raises(InputErrors, match="same labels along shared dims"):
            call(simulated, other)


series = hnp.arrays(
    np.float64, st.integers(10, 40), elements=st.floats(0.015625, 100, width=32), unique=True
).map(lambda values: xr.DataArray(values, dims="time"))


@given(series)
def test_perfect_simulation(observed):
    found = metrics(observed, observed)
    assert found.rmse == found.ubrmse == found.bias == 0
    assert found.nse == 1
    for name in ["correlation", "kge_2009", "kge_2012"]:
        assert found[name] == pytest.approx(1, abs=1e-7)


@given(series, st.randoms(use_true_random=False), st.floats(-50, 50))
def test_a_constant_changes_the_bias_only(observed, random, constant):
    simulated = observed.copy(data=random.sample(list(observed.values), observed.size))
    before, after = metrics(simulated, observed), metrics(simulated + constant, observed)
    assert after.bias == pytest.approx(float(before.bias) + constant, abs=1e-9)
    assert after.ubrmse == pytest.approx(float(before.ubrmse), abs=1e-9)
    assert after.rmse == pytest.approx(float(np.hypot(after.ubrmse, after.bias)), abs=1e-9)
    # Rounding of the sum matters where the spread is tiny next to the constant.
    assert after.correlation == pytest.approx(float(before.correlation), abs=1e-6)
    assert after["count"] == before["count"]


@given(series, st.floats(0.1, 10), st.randoms(use_true_random=False))
def test_scaling_both_scales_the_errors(observed, factor, random):
    simulated = observed.copy(data=random.sample(list(observed.values), observed.size))
    before, after = metrics(simulated, observed), metrics(factor * simulated, factor * observed)
    for name in ["rmse", "ubrmse", "bias"]:
        assert after[name] == pytest.approx(factor * float(before[name]), rel=1e-9, abs=1e-9)
    for name in ["correlation", "nse", "kge_2009", "kge_2012"]:
        assert after[name] == pytest.approx(float(before[name]), rel=1e-7, abs=1e-7)
