"""When SCE-UA stops, and what it asks at once."""

import numpy as np
import pytest
from helpers_optimisers import run, spheres

from xdpl.calibration.optimisers.base import Stopped
from xdpl.calibration.optimisers.sceua import SCEUA

OPTIMA = np.random.default_rng(4).uniform(0.2, 0.8, (3, 2))
NEVER = {"tolerance": 0.0, "tolerance_parameters": 0.0, "stall_loops": 1000}


def search(evaluations=2000, **options):
    return SCEUA(np.arange(3), 2, seed=0, evaluations=evaluations, **{**NEVER, "complexes": 3, **options})


def test_a_candidate_per_complex():
    optimiser = search()
    for _ in range(5):
        candidates = optimiser.ask()
        assert candidates.points.shape == (3, 3, 2) and candidates.wanted.all()
        optimiser.tell(spheres(OPTIMA)(candidates.points))


def test_complexes_wait_for_others_of_their_site_only():
    optimiser = search()
    idle = []

    def function(points):
        if not optimiser.done.any():
            idle.append(~optimiser.ask().wanted)
        return spheres(OPTIMA)(points)

    run(optimiser, function)
    # The last round may be cut by the budget.
    counts = np.array(idle[:-1]).sum(axis=1)
    assert counts.max() == 2
    assert (counts.max(axis=0) > 0).all()
    assert (counts.max(axis=1) > counts.min(axis=1)).any()


def test_first_sample_fills_the_cube():
    optimiser = SCEUA(np.arange(200), 2, seed=1, evaluations=15, complexes=3)
    asked = run(optimiser, lambda points: points.sum(axis=-1))
    points = np.array(asked.points).reshape(-1, 2)
    share = np.histogram2d(*points.T, bins=2, range=[[0, 1], [0, 1]])[0] / len(points)
    np.testing.assert_allclose(share, 0.25, atol=0.04)


def test_stops_when_points_have_come_together():
    optimiser = search(tolerance_parameters=1e-3)
    asked = run(optimiser, spheres(OPTIMA))
    np.testing.assert_array_equal(optimiser.stopped, Stopped.PARAMETERS)
    assert (optimiser.evaluations < 1000).all()
    for points, optimum in zip(asked.points, OPTIMA, strict=True):
        # The last loop is of points as close together as that.
        assert np.abs(np.array(points[-15:]) - optimum).max() < 0.01


@pytest.mark.parametrize("loops", [1, 4])
def test_stops_when_the_best_has_not_improved(loops):
    optimiser = search(tolerance=0.0, stall_loops=loops)
    run(optimiser, lambda points: np.ones(points.shape[:-1]))
    np.testing.assert_array_equal(optimiser.stopped, Stopped.STALL)
    # Nothing is better than anything else: each step takes three evaluations. The first sample is
    # of 15 points, a loop of 15 steps.
    np.testing.assert_array_equal(optimiser.evaluations, 15 + loops * 15 * 3)


def test_goes_on_while_no_run_succeeds():
    optimiser = search(evaluations=600, stall_loops=1)
    run(optimiser, lambda points: np.full(points.shape[:-1], np.nan))
    np.testing.assert_array_equal(optimiser.stopped, Stopped.BUDGET)
