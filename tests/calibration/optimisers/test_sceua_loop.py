"""Batched SCE-UA against a plain loop over one site, written from the steps of the papers."""

import itertools
import math

import numpy as np
import pytest
from helpers_optimisers import run

from xdpl.calibration.optimisers.sceua import SCEUA


class Spent(Exception):
    """No evaluations are left."""


class Counted:
    """A function that keeps what it was given, up to a budget; failed runs are the worst of all."""

    def __init__(self, function, budget):
        self.function, self.budget = function, budget
        self.points, self.shuffles = [], []

    def __call__(self, point):
        if len(self.points) == self.budget:
            raise Spent
        self.points.append(point)
        value = self.function(np.array(point))
        return value if math.isfinite(value) else math.inf


def plain(function, n, p, generator):
    """Duan et al. (1992): the SCE method, steps 0 to 5, for ever; `function` ends it."""
    m = 2 * n + 1
    sample = [[float(u) for u in generator.random(n)] for _ in range(p * m)]
    # Evaluated in the order drawn, held in that of the complexes that sampled them.
    valued = [(x, function(x)) for x in sample]
    population = [valued[k + p * j] for k in range(p) for j in range(m)]
    while True:
        function.shuffles.append(len(function.points))
        # The sort is stable.
        population.sort(key=lambda pair: pair[1])
        complexes = [[population[k + p * j] for j in range(m)] for k in range(p)]
        uniforms = generator.random((p, m, m + 2 * n))
        for k, members in enumerate(complexes):
            evolve(members, function, n, uniforms[k])
        population = [pair for members in complexes for pair in members]


def evolve(members, function, n, uniforms):
    """Duan et al. (1992): the CCE algorithm, with alpha = 1 and beta = m."""
    m, q = len(members), n + 1
    for row in uniforms:
        weights = [2 * (m + 1 - i) / (m * (m + 1)) for i in range(1, m + 1)]
        arrival = [-math.log(1.0 - row[i]) / weights[i] for i in range(m)]
        places = sorted(sorted(range(m), key=arrival.__getitem__)[:q])
        others = [members[i][0] for i in places[:-1]]
        worst, worst_value = members[places[-1]]
        centroid = [sum(x[d] for x in others) / (q - 1) for d in range(n)]
        low = [min(x[d] for x, _ in members) for d in range(n)]
        high = [max(x[d] for x, _ in members) for d in range(n)]

        def anywhere(u, low=low, high=high):
            return [low[d] + u[d] * (high[d] - low[d]) for d in range(n)]

        point = [2.0 * centroid[d] - worst[d] for d in range(n)]
        if not all(0.0 <= v <= 1.0 for v in point):
            point = anywhere(row[m : m + n])
        value = function(point)
        if not value < worst_value:
            point = [0.5 * (centroid[d] + worst[d]) for d in range(n)]
            value = function(point)
            if not value < worst_value:
                point = anywhere(row[m + n :])
                value = function(point)
        members[places[-1]] = (point, value)
        members.sort(key=lambda pair: pair[1])


def by_rows(points):
    """In an order that does not depend on the one they were asked in."""
    return points[np.lexsort(points.T)]


def bowl(x):
    return float(((x - 0.3) ** 2 * np.arange(1, len(x) + 1)).sum())


def waves(x):
    return float(((x - 0.6) ** 2).sum() - 0.3 * np.cos(25 * (x - 0.6)).sum())


def cliffs(x):
    """Ties and failed runs."""
    if x[0] > 0.8:
        return math.nan
    return math.inf if x[-1] < 0.1 else float(np.floor(6 * abs(x - 0.45)).sum())


FUNCTIONS = [bowl, waves, cliffs]


@pytest.mark.parametrize(("n", "p"), [(1, 1), (2, 1), (3, 1), (5, 1), (2, 2), (3, 4)])
def test_same_points_as_a_plain_loop(n, p):
    budget = 400
    keys = [7, 2, 40]
    search = {
        "tolerance": 0.0,
        "tolerance_parameters": 0.0,
        "stall_loops": 1000,
        "complexes": p,
        "evaluations": budget,
    }

    def function(points):
        return np.array([[f(x) for f, x in zip(FUNCTIONS, row, strict=True)] for row in points])

    asked = run(SCEUA(np.array(keys), n, seed=11, **search), function)
    for site, (key, own) in enumerate(zip(keys, FUNCTIONS, strict=True)):
        counted = Counted(own, budget)
        with pytest.raises(Spent):
            plain(counted, n, p, np.random.default_rng(np.random.SeedSequence([11, key])))
        expected, found = np.array(counted.points), np.array(asked.points[site])
        assert len(found) == budget
        if p == 1:
            np.testing.assert_array_equal(found, expected)
            continue
        # Complexes take turns; between two shuffles they ask for the same.
        assert len(counted.shuffles) > 3
        for first, last in itertools.pairwise([0, *counted.shuffles]):
            np.testing.assert_array_equal(by_rows(found[first:last]), by_rows(expected[first:last]))
