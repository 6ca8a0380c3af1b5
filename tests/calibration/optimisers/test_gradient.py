"""Gradient descent of every site by itself."""

import numpy as np
import pytest

from xdpl.calibration.optimisers.base import Stopped
from xdpl.calibration.optimisers.gradient import GradientDescent
from xdpl.errors import InputErrors

KEYS = np.array([3, 0, 8, 5])
OPTIMA = np.random.default_rng(3).uniform(0.1, 0.9, (4, 5))
STEEP = np.arange(1.0, 6.0)


def told(points, optima=OPTIMA):
    """Values and slopes of bowls."""
    difference = points - optima
    return np.concatenate([(STEEP * difference**2).sum(-1, keepdims=True), 2 * STEEP * difference], axis=-1)


def run(optimiser, function=told):
    rounds = []
    while not optimiser.done.all():
        asked = optimiser.ask()
        rounds.append(asked)
        optimiser.tell(function(asked.points))
    return rounds


def test_the_optimum_of_each_site():
    optimiser = GradientDescent(KEYS, 5, seed=0, evaluations=600)
    run(optimiser)
    np.testing.assert_allclose(optimiser.best_points, OPTIMA, atol=1e-3)


def test_it_is_adam_on_logits():
    """Against the update of Kingma and Ba written out, of one start of one site."""
    optimiser = GradientDescent(KEYS[:1], 5, seed=0, evaluations=3, starts=1, learning_rate=0.2)
    rounds = run(optimiser, lambda points: told(points, OPTIMA[:1]))
    z, m, v = np.zeros(5), np.zeros(5), np.zeros(5)
    for t in range(1, 4):
        u = 1.0 / (1.0 + np.exp(-z))
        np.testing.assert_allclose(rounds[t - 1].points[0, 0], u, rtol=1e-12)
        g = 2 * STEEP * (u - OPTIMA[0]) * u * (1 - u)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        rate = 0.2 * 0.5 * (1 + np.cos(np.pi * (t - 1) / 3))
        z = z - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


@pytest.mark.parametrize("evaluations", [1, 3, 4, 10, 41])
def test_the_budget_is_exact(evaluations):
    optimiser = GradientDescent(KEYS, 5, seed=0, evaluations=evaluations)
    asked = sum(a.wanted.sum(axis=0) for a in run(optimiser))
    np.testing.assert_array_equal(asked, evaluations)
    np.testing.assert_array_equal(optimiser.evaluations, evaluations)
    np.testing.assert_array_equal(optimiser.stopped, Stopped.BUDGET)


def test_a_site_does_not_know_its_company():
    together, some = GradientDescent(KEYS, 5, seed=0, evaluations=42), [2, 0, 1]
    rounds = run(together)
    fewer = GradientDescent(KEYS[some], 5, seed=0, evaluations=42)
    own = run(fewer, lambda points: told(points, OPTIMA[some]))
    for a, b in zip(rounds, own, strict=True):
        np.testing.assert_array_equal(a.points[:, some], b.points)


def test_seed_and_start():
    first = [GradientDescent(KEYS, 5, seed=s, evaluations=8).ask().points for s in (0, 0, 1)]
    np.testing.assert_array_equal(first[0], first[1])
    assert not np.isin(first[2][1:], first[0][1:]).any()
    begun = GradientDescent(KEYS, 5, seed=0, evaluations=8, start=OPTIMA).ask().points
    np.testing.assert_allclose(begun[0], OPTIMA, rtol=1e-12)
    np.testing.assert_array_equal(begun[1:], first[0][1:])


def test_failed_runs_are_the_worst_and_harm_nobody():
    def failing(points):
        found = told(points)
        found[0, 1] = np.nan
        found[2, :, 3] = np.inf
        return found

    optimiser = GradientDescent(KEYS, 5, seed=0, evaluations=600)
    run(optimiser, failing)
    np.testing.assert_allclose(optimiser.best_points, OPTIMA, atol=2e-3)


def test_told_again_it_goes_on():
    whole, resumed = (GradientDescent(KEYS, 5, seed=0, evaluations=60) for _ in range(2))
    answers = []

    def kept(points):
        answers.append(told(points))
        return answers[-1]

    run(whole, kept)
    for values in answers[:7]:
        resumed.ask()
        resumed.tell(values)
    run(resumed)
    np.testing.assert_array_equal(resumed.best_points, whole.best_points)


def test_bad_arguments():
    with pytest.raises(InputErrors) as caught:
        GradientDescent(KEYS, 5, seed=0, evaluations=0, starts=0, learning_rate=-1.0)
    assert [p.subject for p in caught.value.exceptions] == ["evaluations", "starts", "learning_rate"]
    with pytest.raises(InputErrors, match=r"shape \(4, 4, 6\)"):
        GradientDescent(KEYS, 5, seed=0, evaluations=8).tell(np.zeros((4, 4)))
