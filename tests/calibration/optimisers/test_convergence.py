import numpy as np
import pytest

from xdpl.calibration.optimisers.base import Stopped
from xdpl.calibration.optimisers.convergence import Convergence, mean_range

SITES = np.array([0, 1])
SPREAD = np.array([[[0.0, 0.0], [1.0, 1.0]]] * 2)


def test_mean_range_is_geometric():
    points = np.array([[[0.1, 0.5], [0.3, 0.45], [0.2, 0.3]], [[0.5, 0.0], [0.5, 1.0], [0.5, 0.5]]])
    first, second = mean_range(points)
    assert first == pytest.approx(np.sqrt(0.2 * 0.2))
    assert second < 1e-100


def test_gain_is_relative_to_the_mean_of_the_best():
    convergence = Convergence(2, tolerance=0.1, tolerance_parameters=0.0, stall_loops=2)

    def judge(*best):
        return convergence.judge(SITES, SPREAD, np.array([[b, 99.0] for b in best])).tolist()

    assert judge(-10.0, 10.0) == [Stopped.RUNNING] * 2
    assert judge(-10.5, 9.5) == [Stopped.RUNNING] * 2
    # Gains of 1.0 and 1.1 over two shuffles, of means 10.5 and 9.467.
    assert judge(-11.0, 8.9) == [Stopped.STALL, Stopped.RUNNING]
    # The oldest are forgotten: 0.5 of 10.83, 1.0 of 8.97.
    assert judge(-11.0, 8.5) == [Stopped.STALL, Stopped.RUNNING]
    assert judge(-14.0, 8.5) == [Stopped.RUNNING, Stopped.STALL]


def test_mean_is_of_all_shuffles_meanwhile():
    convergence = Convergence(1, tolerance=0.1, tolerance_parameters=0.0, stall_loops=2)
    for best in (-10.0, -10.0, -11.05):
        verdict = convergence.judge(SITES[:1], SPREAD[:1], np.array([[best, 99.0]]))
    # The gain is 1.05, the mean 10.35, the last 11.05.
    assert verdict.tolist() == [Stopped.RUNNING]


def test_sites_are_judged_by_themselves():
    convergence = Convergence(2, tolerance=0.0, tolerance_parameters=0.0, stall_loops=1)
    one = np.array([[1.0, 2.0]])
    assert convergence.judge(SITES[:1], SPREAD[:1], one).tolist() == [Stopped.RUNNING]
    assert convergence.judge(SITES[1:], SPREAD[:1], one).tolist() == [Stopped.RUNNING]
    assert convergence.judge(SITES[1:], SPREAD[:1], one).tolist() == [Stopped.STALL]


def test_without_success_there_is_no_stall():
    convergence = Convergence(1, tolerance=0.5, tolerance_parameters=1e-3, stall_loops=1)
    failed = np.full((1, 2), np.inf)
    for _ in range(3):
        assert convergence.judge(SITES[:1], SPREAD[:1], failed).tolist() == [Stopped.RUNNING]
    together = np.full((1, 2, 2), 0.4)
    assert convergence.judge(SITES[:1], together, failed).tolist() == [Stopped.PARAMETERS]
