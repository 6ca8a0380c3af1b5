"""Objectives over regimes, learned beside each site by itself."""

import numpy as np
import pytest
import xarray as xr

import xdpl
from xdpl.errors import InputErrors
from xdpl.evaluation import dryness_terciles
from xdpl.experiments import regimes
from xdpl.experiments.cases import twin_regimes
from xdpl.experiments.regimes import CONTENDERS, dryness_groups
from xdpl.experiments.reports.regimes import means, table
from xdpl.objectives import GroupDRO


@pytest.fixture(scope="module")
def result(small_case):
    return regimes(small_case, dro=GroupDRO(step=0.5), seeds=(0, 1), progress=False)


def test_what_comes_back(small_case, result):
    assert result["rmse"].dims == ("contender", "seed", "lat", "lon")
    assert np.isfinite(result["rmse"]).all()
    assert list(result["contender"].values) == list(CONTENDERS)
    learned = result.sel(contender=list(CONTENDERS[:3]))
    np.testing.assert_allclose(learned["weight"].sum("group"), 1.0, rtol=1e-6)
    np.testing.assert_allclose(learned["weight"].sel(contender="stratified"), 1 / 3, rtol=1e-6)
    assert result["weight"].sel(contender="calibrated").isnull().all()
    xr.testing.assert_equal(result["groups"], dryness_groups(small_case))


def test_groups_are_those_of_the_training_period(small_case):
    past = small_case.ds.sel(time=small_case.train)
    dryness = past["potential_evapotranspiration"].mean("time") / past["precipitation"].mean("time")
    np.testing.assert_array_equal(dryness_groups(small_case), dryness_terciles(dryness))


def test_scores_are_those_of_the_fit(small_case, result):
    ds, groups = small_case.data, dryness_groups(small_case)
    options = small_case.learning(20, sites=small_case.usable(), seed=1)
    fit = xdpl.learn(ds, **options | {"objective": GroupDRO(step=0.5), "groups": groups})
    found = fit.evaluate(ds, time=small_case.test)["rmse"]
    np.testing.assert_allclose(result["rmse"].sel(contender="group-dro", seed=1), found, rtol=1e-6)


def test_the_table_has_groups_and_their_change(result):
    text = table(result)
    for word in ("humid", "medium", "dry", "all", "each site by itself", "cosine between gradients"):
        assert word in text
    found = means(result)
    whole = result["rmse"].mean(["lat", "lon"])
    np.testing.assert_allclose(found.sel(group="all"), whole, rtol=1e-6)
    change = found.sel(contender="group-dro").mean("seed") / found.sel(contender="pooled").mean("seed") - 1.0
    assert f"all {float(change.sel(group='all')):+.1%}" in text


def test_labels_of_ones_own(small_case, tmp_path):
    sand = small_case.ds["sand"]
    own = (sand > sand.median()).astype(int)
    found = regimes(small_case, groups=own, seeds=(0,), out=tmp_path, progress=False)
    assert list(found["group"].values) == [0, 1]
    assert "group 0" in table(found)
    again = regimes(small_case, groups=own, seeds=(0,), out=tmp_path, progress=False)
    xr.testing.assert_equal(again, found)


def test_the_world_lacks_rain_where_it_is_humid():
    case = twin_regimes(xdpl.data.twin(shape=(6, 6), years=3))
    plain = xdpl.data.twin(shape=(6, 6), years=3)
    assert set(case.attributes) == {"sand", "clay", "slope"}
    change = (case.ds["soil_moisture"] - plain["soil_moisture"]).sel(time=case.train).mean("time")
    humid = dryness_groups(case) == 0
    assert float(change.where(humid).max()) < 0.0
    np.testing.assert_allclose(change.where(~humid, 0.0), 0.0, atol=1e-5)
    assert case.ds["soil_moisture"].sel(time=case.test).notnull().all()
    truth = plain["true_soil_moisture"].where(~humid).sel(time=case.test)
    tested = case.ds["soil_moisture"].where(~humid).sel(time=case.test)
    np.testing.assert_allclose(tested, truth, atol=1e-5)


def test_errors(small_case):
    with pytest.raises(InputErrors, match="seeds"):
        regimes(small_case, seeds=(), progress=False)
    sand = small_case.ds["sand"]
    with pytest.raises(InputErrors, match="groups: expected at every site a label"):
        regimes(small_case, groups=xr.where(sand > sand.median(), 1, -1), seeds=(0,), progress=False)
