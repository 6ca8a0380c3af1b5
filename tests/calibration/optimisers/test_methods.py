"""What all optimisers keep."""

import numpy as np
import pytest
from helpers_optimisers import METHODS as NAMES
from helpers_optimisers import run, spheres

from xdpl.calibration.methods import METHODS, constructor
from xdpl.calibration.optimisers.base import Candidates, Stopped

OPTIMA = np.random.default_rng(3).uniform(0.1, 0.9, (4, 5))
KEYS = np.array([3, 0, 8, 5])

ENDLESS = {
    "cma-es": {},
    "differential-evolution": {"tolerance": 0.0},
    "sce-ua": {"tolerance": 0.0, "tolerance_parameters": 0.0},
}


def search(name, keys=KEYS, n=5, seed=0, evaluations=700, **options):
    return constructor(name)(keys, n, seed=seed, evaluations=evaluations, **options)


def test_names():
    # Gradient descent, which is told slopes, has tests of its own.
    assert [name for name in METHODS if name != "gradient"] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_optimum_of_each_site(name):
    optimiser = search(name, evaluations=2500)
    run(optimiser, spheres(OPTIMA))
    np.testing.assert_allclose(optimiser.best_points, OPTIMA, atol=0.01)
    np.testing.assert_allclose(optimiser.best_values, OPTIMA[:, 0], atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_one_parameter(name):
    optimiser = search(name, n=1, evaluations=300)
    run(optimiser, spheres(OPTIMA[:, :1]))
    np.testing.assert_allclose(optimiser.best_points, OPTIMA[:, :1], atol=0.01)


@pytest.mark.parametrize("evaluations", [1, 2, 7, 93, 500])
@pytest.mark.parametrize("name", NAMES)
def test_budget_is_exact(name, evaluations):
    optimiser = search(name, evaluations=evaluations, **ENDLESS[name])
    asked = run(optimiser, spheres(OPTIMA))
    assert [len(own) for own in asked.points] == [evaluations] * 4
    np.testing.assert_array_equal(optimiser.evaluations, evaluations)
    np.testing.assert_array_equal(optimiser.stopped, Stopped.BUDGET)
    last = optimiser.ask()
    assert not last.wanted.any()
    optimiser.tell(np.zeros(last.wanted.shape))
    np.testing.assert_array_equal(optimiser.evaluations, evaluations)


@pytest.mark.parametrize("name", NAMES)
def test_run_of_a_site_does_not_depend_on_the_others(name):
    together = search(name)
    asked = run(together, spheres(OPTIMA))
    some = [2, 0]
    fewer = search(name, keys=KEYS[some])
    asked_fewer = run(fewer, spheres(OPTIMA[some]))
    for own, site in enumerate(some):
        np.testing.assert_array_equal(asked_fewer.points[own], asked.points[site])
    np.testing.assert_array_equal(fewer.best_points, together.best_points[some])
    np.testing.assert_array_equal(fewer.evaluations, together.evaluations[some])


@pytest.mark.parametrize("name", NAMES)
def test_runs_depend_on_the_seed_and_the_key(name):
    def first(**options):
        optimiser = search(name, **options)
        points = optimiser.ask().points[1:]
        optimiser.close()
        return points

    points = first()
    np.testing.assert_array_equal(first(), points)
    assert not np.isin(first(seed=1), points).any()
    other = first(keys=KEYS[::-1])
    np.testing.assert_array_equal(other, points[:, ::-1])
    assert len(np.unique(points)) == points.size


@pytest.mark.parametrize("name", NAMES)
def test_best_is_the_least_told(name):
    optimiser = search(name)
    asked = run(optimiser, spheres(OPTIMA))
    for site in range(4):
        best = np.argmin(asked.values[site])
        assert optimiser.best_values[site] == asked.values[site][best]
        np.testing.assert_array_equal(optimiser.best_points[site], asked.points[site][best])


@pytest.mark.parametrize("failed", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", NAMES)
def test_failed_runs_are_the_worst(name, failed):
    def function(points):
        # On the far side of a wall beside the optimum, the first two sites never succeed.
        values = spheres(OPTIMA)(points)
        values[points[..., 1] > OPTIMA[:, 1] + 0.05] = failed
        values[:, :2] = failed
        return values

    optimiser = search(name, evaluations=2500)
    asked = run(optimiser, function)
    assert sum(not np.isfinite(v) for v in asked.values[2]) > 20
    np.testing.assert_array_equal(optimiser.best_values[:2], np.inf)
    assert np.isnan(optimiser.best_points[:2]).all()
    np.testing.assert_allclose(optimiser.best_points[2:], OPTIMA[2:], atol=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_start_is_among_the_first(name):
    optimiser = search(name, start=OPTIMA)
    candidates = optimiser.ask()
    for site in range(4):
        own = candidates.points[candidates.wanted[:, site], site]
        # SciPy takes bounds to -0.5 and 0.5 and back.
        assert np.abs(own - OPTIMA[site]).max(axis=1).min() < 1e-15
    run(optimiser, spheres(OPTIMA))
    np.testing.assert_allclose(optimiser.best_points, OPTIMA, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_points_asked_stay_until_told(name):
    optimiser = search(name)
    first = optimiser.ask()
    again = optimiser.ask()
    assert isinstance(first, Candidates) and again is first
    kept = first.points.copy()
    optimiser.tell(spheres(OPTIMA)(first.points))
    optimiser.ask()
    np.testing.assert_array_equal(first.points, kept)
    optimiser.close()


@pytest.mark.parametrize("name", NAMES)
def test_told_again_it_goes_on(name):
    whole = search(name)
    told = []

    def function(points):
        told.append(spheres(OPTIMA)(points))
        return told[-1]

    run(whole, function)
    resumed = search(name)
    for values in told[: len(told) // 2]:
        resumed.ask()
        resumed.tell(values)
    run(resumed, spheres(OPTIMA))
    np.testing.assert_array_equal(resumed.best_points, whole.best_points)
    np.testing.assert_array_equal(resumed.evaluations, whole.evaluations)


@pytest.mark.parametrize("name", NAMES)
def test_closed_it_asks_no_more_and_keeps_the_best(name):
    optimiser = search(name)
    run(optimiser, spheres(OPTIMA), rounds=3)
    best = optimiser.best_values.copy()
    assert np.isfinite(best).all() and not optimiser.done.any()
    optimiser.close()
    assert optimiser.done.all()
    np.testing.assert_array_equal(optimiser.stopped, Stopped.CLOSED)
    assert not optimiser.ask().wanted.any()
    np.testing.assert_array_equal(optimiser.best_values, best)
    optimiser.close()


@pytest.mark.parametrize("name", NAMES)
def test_values_of_another_shape_are_refused(name):
    optimiser = search(name)
    with pytest.raises(ValueError, match=r"values: expected points asked for"):
        optimiser.tell(np.zeros((3, 4)))
    shape = optimiser.ask().wanted.shape
    with pytest.raises(ValueError, match=r"values: expected shape .* give a value for each"):
        optimiser.tell(np.zeros((shape[0], 3)))
    np.testing.assert_array_equal(optimiser.evaluations, 0)
    optimiser.tell(np.zeros(shape))
    np.testing.assert_array_equal(optimiser.evaluations, shape[0])
    optimiser.close()


@pytest.mark.parametrize("name", NAMES)
def test_everything_wrong_is_listed(name):
    with pytest.raises(ValueError) as caught:
        search(name, keys=np.array([0.5]), n=0, seed=-1, evaluations=2.5, start=np.zeros((1, 3)))
    subjects = [problem.subject for problem in caught.value.exceptions]
    assert subjects == ["keys", "parameters", "seed", "evaluations", "start"]


@pytest.mark.parametrize("keys", [[1.0], [[1]], [3, -1]])
def test_keys_are_whole_numbers_from_zero(keys):
    with pytest.raises(ValueError, match=r"keys: expected whole numbers \(site,\), none negative"):
        search("sce-ua", keys=np.array(keys))


@pytest.mark.parametrize("start", [[[0.5, 1.5]], [[np.nan, 0.5]], [[0.5, -1e-9]]])
def test_start_out_of_bounds_is_refused(start):
    with pytest.raises(ValueError, match="start: expected values from 0 to 1, got 1 sites"):
        search("sce-ua", keys=np.array([1]), n=2, start=np.array(start))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sce-ua", {"complexes": 0}),
        ("sce-ua", {"tolerance": -1.0}),
        ("sce-ua", {"tolerance_parameters": np.nan}),
        ("sce-ua", {"stall_loops": True}),
        ("cma-es", {"population": 1}),
        ("cma-es", {"sigma": 0.0}),
        ("differential-evolution", {"population": 1.5}),
        ("differential-evolution", {"tolerance": "low"}),
    ],
)
def test_options_are_checked(name, options):
    with pytest.raises(ValueError) as caught:
        search(name, **options)
    assert [problem.subject for problem in caught.value.exceptions] == list(options)


def test_no_sites():
    for name in NAMES:
        optimiser = search(name, keys=np.zeros(0, dtype=int))
        assert optimiser.done.all() and optimiser.ask().wanted.sum() == 0
