"""What a skill costs, counted and timed."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from xdpl import engines
from xdpl.calibration.problem import Problem
from xdpl.errors import InputErrors
from xdpl.experiments import cost
from xdpl.experiments.cost import _calibrated, _learned, _needed
from xdpl.experiments.reports.cost import CELLS, projected, table
from xdpl.experiments.samples import nested


@pytest.fixture
def counted(monkeypatch):
    """Days of sites that are run, with and without a gradient."""
    days = {"dpl": 0, "sce-ua": 0}
    run, call = engines.run, Problem.__call__

    def learning(engine, model, forcings, parameters, **options):
        first = next(iter(forcings.values()))
        if any(getattr(v, "requires_grad", False) for v in parameters.values()):
            days["dpl"] += first.shape[0] * first.shape[1] * (options.get("members") or 1)
        return run(engine, model, forcings, parameters, **options)

    def calibrating(problem, points, wanted):
        days["sce-ua"] += int(wanted.sum()) * next(iter(problem.forcings.values())).shape[0]
        return call(problem, points, wanted)

    monkeypatch.setattr(engines, "run", learning)
    monkeypatch.setattr(Problem, "__call__", calibrating)
    return days


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("updates", [1, 6])
def test_runs_are_those_that_were_made(small_case, counted, members, updates):
    case = replace(small_case, learn=small_case.learn | {"members": members})
    sites = nested(case.usable(), 7, 0)
    found = {
        "dpl": _learned(case, sites, updates, 0, batch=4),
        "sce-ua": _calibrated(case, sites, 10 * updates, 0),
    }
    each = 7 * 365
    # Forward, and once more for the adjoint.
    assert float(found["dpl"]["runs"]) == pytest.approx(2 * counted["dpl"] / each)
    assert float(found["sce-ua"]["runs"]) == pytest.approx(counted["sce-ua"] / each)


def test_every_effort_is_scored(small_case):
    found = cost(
        small_case, sizes=(4, 8), batch=4, updates=(1, 6), evaluations=(10, 40), seeds=(0,), progress=False
    )
    assert (found["core_seconds"] > 0).all()
    assert np.isfinite(found["rmse"]).all()
    assert (found["runs_needed"] > 0).all()
    # An epoch is the least effort.
    assert (found["runs"].diff("effort") >= 0).all()


def curves():
    """Errors and runs of two contenders with four efforts."""
    errors = np.array([[8.0, 4.0, 2.0, 1.0], [9.0, 6.0, 3.0, 4.0]])
    runs = np.array([[1.0, 10.0, 100.0, 1000.0], [2.0, 20.0, 200.0, 2000.0]])
    dims = ("contender", "size", "effort", "seed")
    shaped = {"rmse": errors, "runs": runs, "core_seconds": 36.0 * runs}
    ds = xr.Dataset(
        {k: (dims, v[:, None, :, None]) for k, v in shaped.items()},
        {"contender": ["dpl", "sce-ua"], "size": [10], "effort": range(4), "seed": [0]},
    )
    ds["rmse"].attrs["units"] = "1"
    return ds.assign_attrs(score="rmse")


# Both reach 3, and are allowed 2 % more: between their second and their third effort.
PARTS = np.array([(4.0 - 3.06) / 2.0, (6.0 - 3.06) / 3.0])
NEEDED = np.array([10.0, 20.0]) * 10.0**PARTS


def test_what_the_common_score_needs():
    found = _needed(curves(), lower=True, score="rmse")
    np.testing.assert_allclose(found["runs_needed"].squeeze(), NEEDED)
    np.testing.assert_allclose(found["core_seconds_needed"].squeeze(), 36.0 * NEEDED)
    hours = projected(found)
    assert hours["sce-ua"] == pytest.approx(36.0 * NEEDED[1] / 10 * CELLS / 3600.0)
    assert "times fewer" in table(found) and f"{NEEDED[1] / NEEDED[0]:.1f}" in table(found)


def test_nothing_is_known_of_an_effort_without_a_score():
    unknown = curves()
    unknown["rmse"][0, 0, 2, 0] = np.nan
    found = _needed(unknown, lower=True, score="rmse")
    assert found["runs_needed"].isnull().all()


def test_of_a_score_that_is_best_at_one():
    turned = curves()
    turned["rmse"] = (1.0 - turned["rmse"]).assign_attrs(units="1")
    found = _needed(turned, lower=False, score="rmse")
    np.testing.assert_allclose(found["runs_needed"].squeeze(), NEEDED)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"sizes": (4, 21)}, "2 to the 20"), ({"updates": (1, 2), "evaluations": (3,)}, "as many of both")],
)
def test_bad_arguments(small_case, options, message):
    with pytest.raises(InputErrors, match=message):
        cost(small_case, **{"sizes": (4,), "progress": False} | options)


def test_options_for_the_same_sites_are_used(small_case):
    """What is scored are the sites of the training."""
    sites = nested(small_case.usable(), 7, 0)
    replaced = replace(small_case, same_sites={"learning_rate": 0.05})
    plain = replace(small_case, learn=small_case.learn | {"learning_rate": 0.05})
    one, other, base = (
        float(_learned(case, sites, 6, 0, batch=4)["score"]) for case in (replaced, plain, small_case)
    )
    assert one == other != base
