import json

import numpy as np
import pint
import pytest
import xarray as xr
from helpers_learn import problems, quick, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.evaluation import dryness_terciles, metrics, pooled, worst_group

LATE = slice("2001-11", None)


def test_simulate_is_simulate(fit, ds):
    simulated = fit.simulate(ds)
    expected = ds.dpl.simulate("vic", fit.parameters(ds))
    assert list(simulated) == list(fit.model.outputs)
    for name in expected:
        xr.testing.assert_identical(simulated[name], expected[name])
    drop = ("history",)
    a, b = ({k: v for k, v in x.attrs.items() if k not in drop} for x in (simulated, expected))
    assert a == b


def test_simulate_passes_options_on(fit, ds):
    simulated = fit.simulate(ds, outputs=["w1"], dtype=np.float64)
    assert list(simulated) == ["w1"] and simulated["w1"].dtype == np.float64
    with pytest.raises(InputErrors, match="engine"):
        fit.simulate(ds, engine="steam")


def test_simulate_uses_the_mapping_of_the_training():
    ds = world().rename(precipitation="pr")
    fit = quick(ds, forcings={"precipitation": "pr"})
    assert fit.simulate(ds)["runoff"].notnull().all()
    # In a dataset with the name of the model it is found by name.
    other = world()
    xr.testing.assert_equal(fit.simulate(other)["runoff"], fit.simulate(ds)["runoff"])
    both = ds.assign(precipitation=(0 * ds["pr"]).assign_attrs(units="mm d-1"))
    wet = fit.simulate(both)["runoff"].sum()
    dry = fit.simulate(both, forcings={"precipitation": "precipitation"})["runoff"].sum()
    assert wet > dry
    assert fit.evaluate(both)["rmse"].max() < 5.0
    worse = fit.evaluate(both, forcings={"precipitation": "precipitation"})
    assert (worse["bias"] < fit.evaluate(both)["bias"]).all()


def test_simulate_is_lazy(fit, ds):
    import dask

    def forbidden(*args, **kwargs):
        pytest.fail("computed")

    with dask.config.set(scheduler=forbidden):
        lazy = fit.simulate(ds.chunk(lat=2))
    small = lazy["soil_moisture"].isel(lat=[0], time=slice(0, 3)).compute(scheduler="threads")
    expected = fit.simulate(ds)["soil_moisture"].isel(lat=[0], time=slice(0, 3))
    np.testing.assert_allclose(small, expected, rtol=1e-4)


@pytest.mark.parametrize("time", [None, LATE])
def test_scores_are_those_of_the_simulation(fit, ds, time):
    scores = fit.evaluate(ds, time=time)
    simulated, observed = fit.simulate(ds)["soil_moisture"], ds["soil_moisture"]
    if time is not None:
        simulated, observed, ds = (x.sel(time=time) for x in (simulated, observed, ds))
    expected = metrics(simulated, observed)
    for name, array in expected.items():
        xr.testing.assert_identical(scores[name], array)
    for name, array in pooled(simulated, observed).items():
        xr.testing.assert_identical(scores[f"pooled_{name}"].rename(name), array)
    dryness = ds["potential_evapotranspiration"].mean("time") / ds["precipitation"].mean("time")
    groups = dryness_terciles(dryness)
    np.testing.assert_array_equal(scores["dryness_tercile"], groups)
    for name, array in worst_group(expected, groups).items():
        np.testing.assert_array_equal(scores[f"worst_{name}"], array)


def test_rmse_by_hand(fit, ds):
    scores = fit.evaluate(ds, time=LATE)
    error = (fit.simulate(ds)["soil_moisture"] - ds["soil_moisture"]).sel(time=LATE)
    np.testing.assert_allclose(scores["rmse"], np.sqrt((error**2).mean("time")), rtol=1e-4)
    np.testing.assert_allclose(scores["pooled_rmse"], np.sqrt((error**2).mean()), rtol=1e-4)
    np.testing.assert_array_equal(scores["count"], ds["soil_moisture"].sel(time=LATE).count("time"))
    assert scores["rmse"].attrs["units"] == "m3 m-3"
    assert scores["rmse"].dims == ("lat", "lon")
    assert json.loads(scores.attrs["training"]) == fit.settings
    assert scores.attrs["title"] == "scores of vic for soil_moisture"


def test_what_comes_before_warms_up(fit, ds):
    late = fit.evaluate(ds.sel(time=LATE), time=LATE)["rmse"]
    assert not np.allclose(late, fit.evaluate(ds, time=LATE)["rmse"], rtol=1e-3)


def test_target_in_other_units(fit, ds):
    expected = fit.evaluate(ds)["rmse"]
    ds["soil_moisture"] = (100.0 * ds["soil_moisture"]).assign_attrs(units="percent")
    scores = fit.evaluate(ds)["rmse"]
    assert scores.attrs["units"] == "percent"
    np.testing.assert_allclose(scores, 100.0 * expected, rtol=1e-4)


def test_a_target_of_volume_flow_is_scored_per_area(bucket_fit, small):
    expected = bucket_fit.evaluate(small)
    small["area"] = (("lat", "lon"), 100.0 * np.arange(1.0, 7.0).reshape(2, 3), {"units": "km2"})
    small["runoff"] = (small["runoff"] * small["area"] / 86.4).assign_attrs(units="m3 s-1")
    scores = bucket_fit.evaluate(small)
    assert {scores[k].attrs["units"] for k in ("rmse", "bias", "pooled_rmse")} == {"mm d-1"}
    for name in expected:
        np.testing.assert_allclose(scores[name], expected[name], rtol=1e-5, atol=1e-8)


def test_target_under_another_name(fit, ds):
    other = ds.rename(soil_moisture="ssm")
    expected = fit.evaluate(ds)["rmse"]
    xr.testing.assert_identical(fit.evaluate(other, target="ssm")["rmse"], expected)
    truth = fit.evaluate(ds, target="true_soil_moisture")["rmse"]
    assert (truth < expected).mean() > 0.9


def test_model_without_evaporation_has_no_dryness(bucket_fit, small):
    scores = bucket_fit.evaluate(small)
    assert {"rmse", "pooled_rmse"} <= set(scores)
    assert not any(str(name).startswith(("worst_", "dryness")) for name in scores)


@pytest.mark.parametrize("sites", [1, 2])
def test_few_sites_have_no_worst_group(fit, ds, sites):
    scores = fit.evaluate(ds.isel(lat=[0], lon=slice(sites)))
    assert scores["rmse"].shape == (1, sites)
    assert np.isnan(scores["worst_rmse"]) and scores["worst_rmse_group"] == -1
    assert (scores["dryness_tercile"] == -1).all()


def test_one_site_without_dims(fit, ds):
    scores = fit.evaluate(ds.isel(lat=0, lon=0))
    assert scores["rmse"].dims == ()
    np.testing.assert_allclose(scores["rmse"], fit.evaluate(ds)["rmse"][0, 0], rtol=1e-4)


def test_ocean_stays_nan(fit, ds):
    expected = fit.evaluate(ds)["rmse"]
    wide = ds.reindex(lat=[*ds["lat"].values, 60.0])
    scores = fit.evaluate(wide)
    assert scores["rmse"].isel(lat=-1).isnull().all()
    assert (scores["dryness_tercile"].isel(lat=-1) == -1).all()
    np.testing.assert_allclose(scores["rmse"].isel(lat=slice(-1)), expected, rtol=1e-5)


@pytest.mark.parametrize("time", [slice("1990", "1991"), slice("2001-05", "2001-04"), slice("May", None)])
def test_bad_period(fit, ds, time):
    with pytest.raises(InputErrors, match=r"Fit\.evaluate cannot run") as raised:
        fit.evaluate(ds, time=time)
    found = problems(raised)["time"]
    assert "a period inside the data, 2001-01-01 to 2001-12-31" in found
    assert f"{time.start} to {time.stop}" in found and 'time=slice("2001-01-01", "2001-12-31")' in found


def test_missing_target(fit, ds):
    with pytest.raises(InputErrors, match=r"Fit\.evaluate cannot run") as raised:
        fit.evaluate(ds.drop_vars("soil_moisture"), time=slice("1990", "1991"))
    found = problems(raised)
    assert set(found) == {"soil_moisture", "time"}
    assert 'fit.evaluate(ds, target="<variable>")' in found["soil_moisture"]


def test_dataset_without_time(fit, ds):
    with pytest.raises(InputErrors, match="time"):
        fit.evaluate(ds.isel(time=0, drop=True), time=LATE)


def test_missing_forcing(fit, ds):
    with pytest.raises(InputErrors, match="precipitation"):
        fit.evaluate(ds.drop_vars("precipitation"))


def test_evaluation_does_not_change_the_fit(fit, ds):
    before = fit.parameters(ds)
    fit.evaluate(ds)
    xr.testing.assert_equal(fit.parameters(ds), before)
    assert xdpl.Fit is type(fit)


def test_evaluate_is_lazy_and_the_same(fit, ds, counter):
    lazy = fit.evaluate(ds.chunk(lat=2, time=-1), time=LATE)
    assert counter.calls == 0
    assert all(v.chunks is not None for v in lazy.values())
    expected = fit.evaluate(ds, time=LATE)
    computed = lazy.compute()
    for name, array in expected.items():
        xr.testing.assert_identical(computed[name], array)
        assert lazy[name].dtype == array.dtype


def test_quantified_observations_give_quantified_scores(fit, ds):
    registry, original = pint.UnitRegistry(), ds.copy()
    values = registry.Quantity(100.0 * ds["soil_moisture"].values, "percent")
    ds["soil_moisture"] = ds["soil_moisture"].copy(data=values).drop_attrs()
    scores = fit.evaluate(ds)
    plain = fit.evaluate(original)
    assert scores["rmse"].data.units == scores["pooled_rmse"].data.units == registry.Unit("percent")
    np.testing.assert_allclose(scores["rmse"].data.magnitude, 100.0 * plain["rmse"], rtol=1e-4)
    assert scores["nse"].data.dimensionless and scores["worst_nse"].data.dimensionless
    np.testing.assert_array_equal(scores["dryness_tercile"], plain["dryness_tercile"])


def test_observations_without_units_are_refused(fit, ds):
    ds["soil_moisture"] = ds["soil_moisture"].drop_attrs()
    with pytest.raises(InputErrors) as raised:
        fit.evaluate(ds)
    assert "soil_moisture" in problems(raised)
    ds["soil_moisture"].attrs["units"] = "K"
    with pytest.raises(InputErrors, match=r"Fit\.evaluate cannot run") as raised:
        fit.evaluate(ds)
    assert "expected units convertible to 'm3 m-3'" in problems(raised)["soil_moisture"]
