"""Restarts, and the library that is not there."""

import sys

import numpy as np
import pytest
from cmaes import CMA
from helpers_optimisers import run, spheres

from xdpl.calibration.optimisers.cma_es import CMAES

OPTIMA = np.random.default_rng(5).uniform(0.2, 0.8, (2, 3))


def search(**options):
    return CMAES(np.array([9, 4]), 3, seed=2, **{"evaluations": 300, **options})


def test_same_as_the_library_alone():
    asked = run(search(sigma=0.2, population=6), spheres(OPTIMA))
    for site, key in enumerate([9, 4]):
        generator = np.random.default_rng(np.random.SeedSequence([2, key]))
        seed = int(generator.integers(2**32))
        bounds = np.array([[0.0, 1.0]] * 3)
        alone = CMA(mean=np.full(3, 0.5), sigma=0.2, bounds=bounds, seed=seed, population_size=6)
        for first in range(0, 300, 6):
            points = [alone.ask() for _ in range(6)]
            np.testing.assert_array_equal(asked.points[site][first : first + 6], points)
            alone.tell([(x, spheres(OPTIMA[site : site + 1])(x[None])[0]) for x in points])


def test_begins_at_the_start():
    asked = run(search(start=OPTIMA, sigma=0.01, evaluations=70), spheres(OPTIMA))
    for points, optimum in zip(asked.points, OPTIMA, strict=True):
        np.testing.assert_array_equal(points[0], optimum)
        assert 0.0 < np.abs(points[1:7] - optimum).max() < 0.06


def test_restarts_with_twice_the_population():
    optimiser = search(evaluations=4000)
    sizes = []

    def flat_for_the_first(points):
        sizes.append(optimiser.ask().wanted.sum(axis=0))
        values = spheres(OPTIMA)(points)
        values[:, 0] = 1.0
        return values

    asked = run(optimiser, flat_for_the_first)
    sizes = np.array(sizes)
    np.testing.assert_array_equal(optimiser.evaluations, 4000)
    # 4 + floor(3 ln 3) points, then twice, four and more times as many; the last are cut.
    for site in range(2):
        own = sizes[:, site][sizes[:, site] > 0]
        assert np.unique(own[:-1]).tolist() == [7 * 2**i for i in range(len(np.unique(own[:-1])))]
        assert (np.diff(own[:-1]) >= 0).all() and own[-2] >= 28
    # Sites restart when they have to.
    assert (sizes[:, 0] != sizes[:, 1]).any()
    # Elsewhere, and as wide as before.
    restart = int(np.flatnonzero(sizes[:, 1] == 14)[0])
    first = int(sizes[:restart, 1].sum())
    assert np.std(asked.points[1][first - 7 : first], axis=0).max() < 1e-5
    assert np.std(asked.points[1][first : first + 14], axis=0).min() > 0.05


def test_library_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(ValueError, match=r"cmaes: expected it installed.*pip install 'xdpl\[calibrate\]'"):
        search()
