"""Towers of the synthetic world, and the real ones: what is calibrated, carried there and scored."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from helpers_towers import station

import xdpl
from xdpl.errors import InputErrors
from xdpl.experiments import Case, towers
from xdpl.experiments.reports import towers as towers_report
from xdpl.experiments.tower import DEEP, bondville, walnut_gulch


@pytest.fixture(scope="module")
def case():
    return Case(
        "small",
        xdpl.data.twin(shape=(3, 4), years=3),
        "vic",
        "soil_moisture",
        ("sand", "clay", "ndvi"),
        slice("2001", "2001"),
        slice("2003", None),
        learn={"epochs": 3, "window": 90},
        calibrate={"objective": "rmse", "warmup": 365, "evaluations": 60},
    )


@pytest.fixture(scope="module")
def tower(case):
    return station(case.ds)


@pytest.fixture(scope="module")
def result(case, tower):
    dry = replace(tower, ds=tower.ds.isel(site=[0]).assign_coords(site=["c"]), observed=ONLY_SURFACE)
    return towers(case, at=[tower, dry], gradient={"evaluations": 20}, seeds=(0, 1), progress=False)


ONLY_SURFACE = {"soil_moisture": "soil_moisture"}


def test_scores_of_calibration_by_hand(case, tower, result):
    theta = tower.ds.dpl.calibrate(
        "vic",
        target="soil_moisture",
        train=tower.train,
        warmup=30,
        objective="rmse",
        evaluations=60,
        seed=1,
        progress=False,
    )
    sim = tower.ds.dpl.simulate("vic", theta, outputs=["w2", "evapotranspiration"]).sel(time=tower.test)
    found = result.sel(contender="calibrated", seed=1, site=["a", "b"])
    past = tower.ds.sel(time=tower.test)
    error = (sim["evapotranspiration"] - past["evapotranspiration"]).astype(float)
    np.testing.assert_allclose(found["evapotranspiration_rmse"], np.sqrt((error**2).mean("time")), rtol=1e-5)
    deep = sim["w2"] / (1000.0 * theta["d2"]) - past[DEEP]
    np.testing.assert_allclose(found[f"{DEEP}_ubrmse"], deep.astype(float).std("time"), rtol=1e-4)


def test_parameters_of_the_nearest_site(case, tower, result):
    """The towers are cells of the case: their nearest site is their own, and 0 km away."""
    np.testing.assert_allclose(result["distance"], 0.0, atol=1e-3)
    fit = case.ds.dpl.learn(
        "vic",
        target="soil_moisture",
        attributes=list(case.attributes),
        train=case.train,
        seed=0,
        progress=False,
        **case.learn,
    )
    theta = fit.parameters(case.ds)
    sim = case.ds.dpl.simulate("vic", theta, outputs=["evapotranspiration"])["evapotranspiration"]
    error = (sim - case.ds["true_evapotranspiration"]).sel(time=tower.test).astype(float)
    expected = np.sqrt((error**2).mean("time")).stack(site=("lat", "lon"))[[3, 11]]
    found = result["evapotranspiration_rmse"].sel(contender="dpl", seed=0, site=["a", "b"])
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_members_are_carried_one_by_one(case, tower):
    several = replace(case, learn=dict(case.learn) | {"members": 2})
    found = towers(several, at=[tower], contenders=["dpl"], seeds=(0,), progress=False).isel(
        seed=0, contender=0
    )
    call = {"target": "soil_moisture", "attributes": list(case.attributes), "train": case.train}
    fit = case.ds.dpl.learn("vic", **call, seed=0, progress=False, **several.learn)
    theta = fit.parameters(case.ds)
    w2 = case.ds.dpl.simulate("vic", theta, outputs=["w2"])["w2"].sel(time=tower.test)
    deep = (w2 / (1000.0 * theta["d2"])).mean("member").stack(site=("lat", "lon"))[..., [3, 11]]
    error = (
        deep.transpose("site", "time").values
        - tower.ds[DEEP].sel(time=tower.test).transpose("site", "time").values
    )
    np.testing.assert_allclose(found[f"{DEEP}_rmse"], np.sqrt((error.astype(float) ** 2).mean(1)), rtol=1e-4)


def test_distance_by_hand(case, tower):
    far = replace(tower, ds=tower.ds.assign_coords(lat=tower.ds["lat"] - 10.0))
    far.ds["lat"].attrs = tower.ds["lat"].attrs
    found = towers(case, at=[far], contenders=["dpl"], seeds=(0,), progress=False)["distance"]
    # Straight south of its own cell the nearest site is that of the first row.
    expected = np.radians(35.0 - far.ds["lat"].values) * 6371.0
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_what_was_not_observed_is_nan(result):
    assert list(result["site"].values) == ["a", "b", "c"]
    assert result["evapotranspiration_rmse"].dims == ("contender", "seed", "site")
    assert result["evapotranspiration_rmse"].sel(site="c").isnull().all()
    assert result["soil_moisture_rmse"].notnull().all()
    assert result[f"{DEEP}_rmse"].attrs["units"] == "m3 m-3"
    table = towers_report.table(result)
    assert table.count("evapotranspiration (mm d-1), never observed in training") == 2
    assert table.count("soil_moisture (m3 m-3), learned") == 3


def test_default_parameters_and_few_contenders(case, tower):
    found = towers(case, at=[tower], contenders=["uncalibrated"], seeds=(0,), progress=False)
    assert "distance" not in found
    sim = tower.ds.dpl.simulate("vic", outputs=["w2"])["w2"].sel(time=tower.test) / 400.0
    expected = xr.corr(sim, tower.ds[DEEP].sel(time=tower.test), "time")
    np.testing.assert_allclose(found[f"{DEEP}_correlation"][0, 0], expected, rtol=1e-5)
    assert "–" in towers_report.table(found)


def test_every_problem_at_once(case, tower):
    bad = replace(tower, observed={"moisture": "soil_moisture", "runoff": "streamflow"})
    flat = replace(tower, ds=tower.ds.isel(site=0))
    with pytest.raises(InputErrors, match="towers cannot run") as caught:
        towers(case, at=[bad, flat], contenders=["magic"], seeds=(), progress=False)
    assert [e.subject for e in caught.value.exceptions] == [
        "seeds",
        "contenders",
        "at[0].observed",
        "at[0].observed",
        "at[0].observed['runoff']",
        "at[1].ds",
    ]
    flow = case.ds["true_evapotranspiration"]
    hbv = replace(case, model="hbv", target="streamflow", ds=case.ds.assign(streamflow=flow))
    with pytest.raises(InputErrors, match="expected a second layer"):
        towers(hbv, at=[tower], progress=False)


@pytest.mark.data
@pytest.mark.parametrize("make", [walnut_gulch, bondville])
def test_the_real_towers_run(make):
    place = make()
    assert set(place.observed.values()) <= set(place.ds)
    early = slice(place.ds["time"].values[0], place.train.stop)
    ds = place.ds.sel(time=early)
    simulated = ds.dpl.simulate("vic")
    assert simulated["soil_moisture"].notnull().all()
    for period in (place.train, place.test):
        seen = place.ds[list(place.observed.values())].sel(time=period).notnull().sum("time")
        assert (seen.to_array() >= 40).all()
    warm = place.ds["time"].sel(time=slice(None, place.train.start)).size - 1
    assert warm >= place.warmup


@pytest.mark.data
def test_forcings_of_the_real_towers():
    place, raw = walnut_gulch(), xdpl.data.open("walnut_gulch_ameriflux_daily")
    known = raw["tas"].sel(time=place.ds["time"])
    kept = place.ds["air_temperature"].where(known.notnull())
    np.testing.assert_array_equal(kept, known)
    assert "days interpolated: US-Wkg" in place.ds["air_temperature"].attrs["comment"]
    # Annual potential evapotranspiration of the desert, and rain as published: about 300 mm.
    yearly = place.ds[["precipitation", "potential_evapotranspiration"]].sel(time=slice("2008", "2012"))
    yearly = 365.25 * yearly.mean("time")
    assert ((yearly["precipitation"] > 200) & (yearly["precipitation"] < 400)).all()
    assert (yearly["potential_evapotranspiration"] > 1200).all()
    place, raw = bondville(), xdpl.data.open("bondville_2001")
    total = float(raw["pr"].mean() * 365)
    np.testing.assert_allclose(place.ds["precipitation"].sum(), total, rtol=1e-4)
