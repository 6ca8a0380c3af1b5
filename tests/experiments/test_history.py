"""A network that reads past observations beside one on attributes."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import xdpl
from xdpl.errors import InputErrors
from xdpl.experiments import history
from xdpl.experiments.history import QUESTIONS
from xdpl.experiments.reports.history import table
from xdpl.experiments.samples import held_out_sites


@pytest.fixture(scope="module")
def result(small_case):
    return history(small_case, held_out=6, seeds=(0, 1), progress=False)


def test_every_question_has_its_sites(small_case, result):
    pool, held = held_out_sites(small_case, 6, "x")
    error = result["rmse"]
    assert error.dims == ("contender", "question", "seed", "lat", "lon")
    assert error.attrs["units"] == "m3 m-3"
    for question, sites in {"trained": pool, "measured": held, "ungauged": held}.items():
        found = error.sel(question=question, drop=True).notnull()
        assert (found == sites).all()
    for line in ("sites of the training", "other sites, measured before", "other sites, never measured"):
        assert line in table(result)


def test_only_the_history_makes_a_difference_between_measured_and_ungauged(result):
    measured, ungauged = (result["rmse"].sel(question=q, drop=True) for q in ("measured", "ungauged"))
    xr.testing.assert_identical(measured.sel(contender="dpl"), ungauged.sel(contender="dpl"))
    assert float(abs(measured - ungauged).sel(contender="history").max()) > 0.0


def test_scores_are_those_of_a_fit(small_case, result):
    ds, (pool, held) = small_case.data, held_out_sites(small_case, 6, "x")
    options = small_case.learning_from_history(int(pool.sum()), sites=pool, seed=1)
    assert options["network"].kind == "history" and options["epochs"] == 3
    fit = xdpl.learn(ds, **options)
    found = fit.evaluate(ds, time=small_case.test)["rmse"].where(held)
    np.testing.assert_allclose(
        result["rmse"].sel(contender="history", question="measured", seed=1), found, rtol=1e-6
    )


def test_nothing_of_the_test_period_is_read(small_case):
    """With other observations there, what is simulated stays: only the scores against them change."""
    noise = xr.full_like(small_case.ds["soil_moisture"], 0.0)
    noise.loc[{"time": small_case.test}] = 0.05
    observed = small_case.ds["soil_moisture"]
    shifted = small_case.ds.assign(soil_moisture=(observed + noise.values).assign_attrs(observed.attrs))
    options = {"held_out": 6, "seeds": (0,), "progress": False}
    here, there = (history(replace(small_case, ds=ds), **options) for ds in (small_case.ds, shifted))
    np.testing.assert_allclose(
        here["bias"] - there["bias"], xr.where(here["bias"].notnull(), 0.05, np.nan), atol=1e-6
    )
    np.testing.assert_allclose(here["ubrmse"], there["ubrmse"], atol=1e-6)


def test_what_is_kept_is_read(small_case, tmp_path, monkeypatch, result):
    found = history(small_case, held_out=6, seeds=(0,), out=tmp_path, progress=False)
    monkeypatch.setattr("xdpl.experiments.work.learn", None)
    again = history(small_case, held_out=6, seeds=(0,), out=tmp_path, progress=False)
    xr.testing.assert_equal(again, found)
    xr.testing.assert_allclose(found["rmse"], result["rmse"].sel(seed=[0]))


def test_every_problem_at_once(small_case):
    with pytest.raises(InputErrors, match="history cannot run") as caught:
        history(replace(small_case, history=None), seeds=(), progress=False)
    assert [e.subject for e in caught.value.exceptions] == ["seeds", "case"]
    with pytest.raises(InputErrors, match="held_out: expected 1 to 18"):
        history(small_case, held_out=20, progress=False)


def test_the_questions_are_those_of_the_table():
    from xdpl.experiments.reports import history as report

    assert tuple(report._QUESTIONS) == QUESTIONS == ("trained", "measured", "ungauged")
