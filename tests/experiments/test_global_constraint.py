"""One network for all sites against each site by itself, on few and gappy data."""

import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.experiments import global_constraint
from xdpl.experiments.reports.global_constraint import table
from xdpl.experiments.work import calibrate_whole


@pytest.fixture(scope="module")
def result(small_case):
    return global_constraint(small_case, days=120, share=0.5, seeds=(0, 1), progress=False)


def test_both_are_scored_at_all_sites(small_case, result):
    for name in ("train", "test"):
        assert result[name].dims == ("contender", "seed", "lat", "lon")
        assert np.isfinite(result[name]).all()
    assert "with the network, error: training" in table(result)


def test_both_see_the_same_part_of_the_observations(small_case, monkeypatch):
    seen = {}

    def spy(name, function):
        def call(ds, *args, **options):
            seen[name] = ds["soil_moisture"].sel(time=options["train"])
            return function(ds, *args, **options)

        return call

    # The name in the package is that of the function.
    module = sys.modules["xdpl.experiments.global_constraint"]
    monkeypatch.setattr(module, "learn_whole", spy("dpl", module.learn_whole))
    monkeypatch.setattr(module, "calibrate_whole", spy("per-site", module.calibrate_whole))
    global_constraint(small_case, days=120, share=0.5, seeds=(3,), progress=False)
    xr.testing.assert_identical(seen["dpl"], seen["per-site"])
    whole = small_case.ds["soil_moisture"].sel(time=seen["dpl"]["time"])
    assert seen["dpl"].sizes["time"] == 120
    assert (seen["dpl"]["time"].diff("time") == np.timedelta64(1, "D")).all()
    share = float(seen["dpl"].notnull().sum() / whole.notnull().sum())
    assert share == pytest.approx(0.5, abs=0.05)


def test_scores_are_those_of_the_functions_themselves(small_case):
    """Of a case with a site where nothing is observed in the short period, which then counts for nobody."""
    blank = small_case.ds.copy(deep=True)
    # A hundred days somewhere in the year of training.
    first = np.random.default_rng([4, 3]).integers(266)
    period = slice(*blank["time"].dt.strftime("%Y-%m-%d").values[[first, first + 99]])
    blank["soil_moisture"].loc[{"time": period, "lat": blank["lat"][2]}] = np.nan
    case = replace(small_case, ds=blank)
    found = global_constraint(case, days=100, share=0.5, seeds=(4,), progress=False).isel(seed=0)
    drawn = np.random.default_rng([4, 2]).random((730, 4, 5)) < 0.5
    thinned = blank["soil_moisture"].transpose("time", "lat", "lon").where(drawn)
    sites = thinned.sel(time=period).notnull().sum("time") >= 10
    assert 0 < int(sites.sum()) <= 15
    ds = blank.assign(soil_moisture=thinned.assign_attrs(blank["soil_moisture"].attrs))
    call = {"target": "soil_moisture", "train": period, "sites": sites.drop_attrs(), "warmup": 30}
    call |= {"seed": 4, "progress": False}
    theta = ds.dpl.calibrate("vic", method="gradient", objective="rmse", **call)
    options = small_case.learn | {"loss": "site_rmse", "attributes": list(case.attributes)}
    maps = {"per-site": theta, "dpl": ds.dpl.learn("vic", **call, **options).parameters(ds)}
    for name, parameters in maps.items():
        sim = ds.dpl.simulate("vic", parameters)["soil_moisture"]
        for part, observed, time in (("train", thinned, period), ("test", blank["soil_moisture"], case.test)):
            error = ((sim - observed).sel(time=time) ** 2).mean("time") ** 0.5
            expected = error.where(sites).transpose("lat", "lon")
            np.testing.assert_allclose(found[part].sel(contender=name), expected, rtol=1e-4)


def test_seeds_have_other_days(small_case, monkeypatch):
    began = []

    def spy(ds, *args, **options):
        began.append(options["train"].start)
        return calibrate_whole(ds, *args, **options)

    monkeypatch.setattr(sys.modules["xdpl.experiments.global_constraint"], "calibrate_whole", spy)
    global_constraint(small_case, days=90, seeds=(0, 1, 2), progress=False)
    assert len(set(began)) == 3
    assert all("2001-01-01" <= day <= "2001-10-03" for day in began)


def test_options_for_the_same_sites_are_used(small_case):
    """Only where they differ from those of the case do they make a difference."""
    run = partial(global_constraint, days=120, seeds=(0,), progress=False)
    fast = run(replace(small_case, same_sites={"learning_rate": 0.05}))
    slow = run(replace(small_case, learn=dict(small_case.learn) | {"learning_rate": 0.05}))
    xr.testing.assert_equal(fast, slow)
    assert not fast.equals(run(small_case))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"days": 1}, "2 to the 365 days"), ({"share": 0.0}, "above 0 to 1")],
)
def test_bad_arguments(small_case, options, message):
    with pytest.raises(InputErrors, match=message):
        global_constraint(small_case, progress=False, **options)


def test_another_score_is_refused(small_case):
    other = replace(small_case, **{"score": "correlation"})
    with pytest.raises(InputErrors, match="rmse or nse"):
        global_constraint(other, progress=False)


def test_change_of_a_score_that_is_best_at_one_is_that_of_what_is_missing():
    dims = ("contender", "seed", "site")
    ds = xr.Dataset(
        {"train": (dims, [[[0.9]], [[0.8]], [[0.1]]]), "test": (dims, [[[0.5]], [[0.6]], [[0.2]]])},
        {"contender": ["per-site", "dpl", "uncalibrated"], "seed": [0]},
        {"score": "nse", "target": "streamflow"},
    )
    text = table(ds)
    assert text.endswith("with the network, what is missing to 1: training +100.0%, test -20.0%")
    text = table(ds.assign_attrs(score="rmse"))
    assert text.endswith("with the network, error: training -11.1%, test +20.0%")


def test_uncalibrated_is_the_model_with_its_defaults(small_case, result):
    sim = small_case.ds.dpl.simulate("vic", outputs=["soil_moisture"])["soil_moisture"]
    error = (sim - small_case.ds["soil_moisture"]).sel(time=small_case.test)
    expected = ((error.astype(float) ** 2).mean("time") ** 0.5).transpose("lat", "lon")
    found = result["test"].sel(contender="uncalibrated")
    for seed in found["seed"]:
        np.testing.assert_allclose(found.sel(seed=seed), expected, rtol=1e-4)
