"""Skill against the number of training sites, on a synthetic world small enough for a test."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import xdpl
from xdpl.calibration.problem import Problem
from xdpl.errors import InputErrors
from xdpl.experiments import Case, scaling
from xdpl.experiments.contenders import CONTENDERS, Trial, affine
from xdpl.experiments.kept import Kept
from xdpl.experiments.periods import days_of, shortened
from xdpl.experiments.samples import halved, held_out_sites, nested
from xdpl.experiments.scores import extreme_bias, scores_of
from xdpl.training import loop


@pytest.fixture(scope="module")
def case(small_case):
    return small_case


@pytest.fixture(scope="module")
def result(case):
    return scaling(case, sizes=(4, 8), held_out=6, seeds=(0, 1), progress=False)


def test_every_contender_is_scored_at_the_same_sites(case, result):
    assert result["rmse"].dims == ("contender", "size", "seed", "lat", "lon")
    assert list(result["contender"].values) == list(CONTENDERS)
    known = result["rmse"].notnull()
    assert (known.sum(["lat", "lon"]) == 6).all()
    assert (known == known.isel(contender=0, size=0, seed=0)).all()
    assert result["rmse"].attrs["units"] == case.ds["soil_moisture"].attrs["units"]


def test_scores_are_those_of_the_functions_themselves(case, result):
    pool, held = held_out_sites(case, 6, "test")
    sites = nested(pool, 8, 1)
    options = {"target": "soil_moisture", "attributes": list(case.attributes), "train": case.train}
    fit = case.ds.dpl.learn("vic", sites=sites, seed=1, progress=False, **options, **case.learn)
    expected = fit.evaluate(case.ds, time=case.test)["rmse"].where(held)
    xr.testing.assert_allclose(
        result["rmse"].sel(contender="dpl", size=8, seed=1, drop=True).drop_attrs(), expected.drop_attrs()
    )
    theta = case.ds.dpl.calibrate(
        "vic", target="soil_moisture", train=case.train, sites=sites, seed=1, progress=False, **case.calibrate
    )
    carried = case.ds.dpl.regionalise(
        "vic",
        theta,
        target="soil_moisture",
        attributes=list(case.attributes),
        method="similarity",
        donors=5,
    )
    expected = carried.evaluate(case.ds, time=case.test)["rmse"].where(held)
    xr.testing.assert_allclose(
        result["rmse"].sel(contender="donors", size=8, seed=1, drop=True).drop_attrs(),
        expected.drop_attrs(),
        rtol=1e-5,
    )


def test_more_sites_do_not_change_what_knows_nothing(result):
    unlearned = result["rmse"].sel(contender="uncalibrated")
    first = unlearned.isel(size=0, seed=0)
    assert ((unlearned == first) | (unlearned.isnull() & first.isnull())).all()


def test_sizes_are_halved_down_to_ten():
    assert halved(309) == (10, 19, 38, 77, 154, 309)
    assert halved(15) == (15,)
    assert halved(7) == (7,)


def test_samples_are_nested_and_never_held_out(case):
    pool, held = held_out_sites(case, 6, "test")
    assert not (pool & held).any()
    small, large = nested(pool, 4, 0), nested(pool, 8, 0)
    assert int(small.sum()) == 4 and int(large.sum()) == 8
    assert not (small & ~large).any()
    assert not (large & ~pool).any()
    assert not nested(pool, 4, 1).equals(small)


def test_samples_do_not_depend_on_the_order_of_dims(case):
    turned = replace(case, **{"ds": case.ds.transpose("lon", "lat", "time")})
    xr.testing.assert_equal(
        held_out_sites(turned, 6, "test")[1].transpose("lat", "lon"), held_out_sites(case, 6, "test")[1]
    )


def test_affine_regresses_scale_and_offset(case):
    """With a scale and an offset that are linear in attributes, it is all but exact."""
    ds = case.ds
    simulated = ds.dpl.simulate("vic", outputs=["soil_moisture"])["soil_moisture"]
    scale = 1.0 + 0.5 * (ds["sand"] - ds["sand"].mean()) / ds["sand"].std()
    made = simulated * scale + 0.1 * (ds["clay"] / ds["clay"].mean())
    exact = replace(case, **{"ds": ds.assign(soil_moisture=made.assign_attrs(ds["soil_moisture"].attrs))})
    pool, held = held_out_sites(exact, 6, "test")
    found = affine(Trial(exact, pool, 0, Kept(None, exact)))
    error = scores_of(found, exact)["rmse"]
    assert float(error.where(held).max()) < 1e-4


def test_days_of_training(case):
    assert days_of(case) == 365
    assert shortened(case, 365) is case
    assert shortened(case, 100).train == slice("2001-09-23", "2001-12-31")
    found = scaling(
        case, sizes=(4,), days=(100, 365), held_out=6, seeds=(0,), contenders=["affine"], progress=False
    )
    assert found["rmse"].dims == ("contender", "days", "size", "seed", "lat", "lon")
    assert not found["rmse"].isel(days=0).equals(found["rmse"].isel(days=1))


def test_bias_on_days_above_the_training_range():
    time = xr.date_range("2001-01-01", periods=12)
    observed = xr.DataArray(
        [[1, 1], [2, 9], [3, 1], [1, 1], [4, 1], [5, 1], [6, 1], [2, 1], [np.nan, 1], [1, 1], [1, 1], [1, 1]],
        {"time": time},
        ("time", "site"),
    )
    simulated = xr.full_like(observed, 3.0)
    found = extreme_bias(simulated, observed, slice("2001-01-01", "2001-01-04"), slice("2001-01-05", None))
    np.testing.assert_allclose(found, [(9.0 - 15.0) / 15.0, np.nan])


def test_a_stopped_run_goes_on(case, tmp_path, monkeypatch):
    call = {"sizes": (4, 8), "held_out": 6, "seeds": (0,), "contenders": ["affine", "donors"]}
    whole = scaling(case, **call, progress=False)
    calls = []

    def stopping(trial):
        calls.append(trial.count)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return affine(trial)

    with monkeypatch.context() as patch:
        patch.setitem(CONTENDERS, "affine", stopping)
        with pytest.raises(KeyboardInterrupt):
            scaling(case, **call, out=tmp_path, progress=False)
    calls.clear()
    monkeypatch.setitem(CONTENDERS, "affine", lambda trial: calls.append(trial.count) or affine(trial))
    again = scaling(case, **call, out=tmp_path, progress=False)
    assert len(calls) == 1
    xr.testing.assert_equal(again, whole)


@pytest.mark.parametrize("contender", ["donors", "dpl"])
def test_an_interrupted_part_is_none(case, tmp_path, monkeypatch, contender):
    """`learn` and `calibrate` take Ctrl-C for an end, and return what they have."""
    call = {"sizes": (8,), "held_out": 6, "seeds": (0,), "contenders": [contender]}
    whole = scaling(case, **call, progress=False)
    left = [2]

    def stopping(function):
        def call(*args, **options):
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
            return function(*args, **options)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Problem, "__call__", stopping(Problem.__call__))
        patch.setattr(loop, "_epoch", stopping(loop._epoch))
        with pytest.raises(KeyboardInterrupt):
            scaling(case, **call, out=tmp_path, progress=False)
    assert not list(tmp_path.glob("*.nc"))
    xr.testing.assert_equal(scaling(case, **call, out=tmp_path, progress=False), whole)


def test_other_sites_are_other_parts(case, tmp_path):
    """A part that was kept must not have trained on what is held out now."""
    call = {"sizes": (4,), "seeds": (0,), "contenders": ["affine"], "progress": False}
    scaling(case, held_out=4, out=tmp_path, **call)
    again = scaling(case, held_out=10, out=tmp_path, **call)
    xr.testing.assert_equal(again, scaling(case, held_out=10, **call))


def test_units_and_names_of_the_dataset_do_not_matter(case):
    call = {"sizes": (4,), "held_out": 6, "seeds": (0,), "progress": False}
    call["contenders"] = ["affine", "dpl", "uncalibrated"]
    percent = (100.0 * case.ds["soil_moisture"]).assign_attrs(units="percent")
    other = case.ds.assign(soil_moisture=percent).rename(precipitation="pr")
    renamed = replace(case, ds=other, forcings={"precipitation": "pr"})
    found, expected = scaling(renamed, **call), scaling(case, **call)
    for name in ("rmse", "nse", "extreme_bias"):
        xr.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-6)


def test_sites_that_take_no_part_may_be_anything(case):
    """A gap in the weather of one, an attribute that is missing at another."""
    holed = case.ds.copy(deep=True)
    holed["precipitation"][100, 0, 0] = np.nan
    holed["sand"][1, 1] = np.nan
    without = xr.ones_like(holed["clay"], dtype=bool)
    without[0, 0] = False
    some = replace(case, ds=holed, sites=without.drop_attrs())
    found = scaling(some, sizes=(4,), held_out=6, seeds=(0,), progress=False)
    assert (found["rmse"].notnull().sum(["lat", "lon"]) == 6).all()
    assert found["rmse"].sel(lat=holed["lat"][0], lon=holed["lon"][0]).isnull().all()


def test_a_folder_of_another_case_is_refused(case, tmp_path):
    call = {"sizes": (4,), "held_out": 6, "seeds": (0,), "contenders": ["affine"], "out": tmp_path}
    scaling(case, **call, progress=False)
    few = case.ds["lat"] + 0 * case.ds["lon"] > case.ds["lat"][0]
    later = case.ds.assign_coords(time=case.ds["time"] + np.timedelta64(1, "D"))
    for other in ({"attributes": ("sand",)}, {"sites": few}, {"ds": later}, {"learn": {"epochs": 4}}):
        with pytest.raises(InputErrors, match="parts of another case"):
            scaling(replace(case, **other), **call, progress=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": (4, 15)}, "2 to the 14 that can be trained on"),
        ({"sizes": ()}, "sizes"),
        ({"sizes": (6, 4)}, "rising numbers of sites"),
        ({"seeds": (0, 0)}, "all different"),
        ({"held_out": 19}, "1 to 18 of the 20 sites"),
        ({"contenders": ["magic"]}, "some of dpl"),
        ({"days": (400,)}, "2 to the 365 days of the training period"),
    ],
)
def test_bad_arguments(case, options, message):
    with pytest.raises(InputErrors, match=message):
        scaling(case, **{"sizes": (4,), "held_out": 6, "progress": False} | options)


def test_a_bad_case():
    ds = xdpl.data.twin(shape=(2, 2), years=1)
    with pytest.raises(InputErrors) as caught:
        Case("c", ds, "vic", "moisture", ("sandy",), slice(None), slice(None), score="mae")
    for name in ("target", "sandy", "score"):
        assert f"\n  - {name}: expected" in str(caught.value)


def test_scores_are_finite_and_learning_helps(result):
    median = result["rmse"].median(["lat", "lon"])
    assert np.isfinite(median).all()
    assert (median.sel(contender="dpl") < median.sel(contender="uncalibrated")).all()


def test_the_whole_period_is_not_run_twice(case, tmp_path, monkeypatch):
    call = {"sizes": (4,), "held_out": 6, "seeds": (0,), "contenders": ["affine"], "progress": False}
    whole = scaling(case, **call, out=tmp_path)

    def refuse(trial):
        raise AssertionError("run again")

    monkeypatch.setitem(CONTENDERS, "affine", refuse)
    again = scaling(case, **call, days=(365,), out=tmp_path)
    xr.testing.assert_equal(again["rmse"].isel(days=0, drop=True), whole["rmse"])
