"""Competitive complex evolution of many complexes side by side."""

from __future__ import annotations

import numpy as np

from xdpl.calibration.optimisers.draws import Draws

__all__ = ["Complexes"]

# What the point asked for is.
_SAMPLE, _REFLECTION, _CONTRACTION, _MUTATION, _NONE = range(5)


class Complexes:
    """The complexes of all sites, each a lane that asks for one point at a time.

    After Duan et al. (1992, fig. 2): the worst of some parents is reflected at the centroid of the
    others; if that is no better, it is moved halfway to it; if that is no better either, a random
    point of the smallest hypercube that holds the complex takes its place. Such a point is tried in
    place of a reflection that leaves the bounds, too. A complex of ``2 n + 1`` points takes as many
    steps, of ``n + 1`` parents and one offspring each, for ``n`` parameters.

    Parameters
    ----------
    points : ndarray, (lane, point, parameter)
        In the unit cube; the first to be evaluated.

    Attributes
    ----------
    points, values : ndarray, (lane, point, parameter) and (lane, point)
    order : ndarray of int, (lane, point)
        Positions of the points from the best to the worst, where all have values.
    trial : ndarray, (lane, parameter)
        The points asked for.
    """

    def __init__(self, points: np.ndarray) -> None:
        lanes, count, parameters = points.shape
        self.points = points
        self.values = np.full((lanes, count), np.inf)
        self.order = np.tile(np.arange(count), (lanes, 1))
        self.trial = points[:, 0].copy()
        self._role = np.full(lanes, _SAMPLE)
        self._step = np.zeros(lanes, dtype=np.int64)
        self._parents = np.zeros((lanes, count, parameters + 1), dtype=np.int16)
        self._replacements = np.zeros((lanes, count, 2, parameters))
        self._centroid = np.zeros((lanes, parameters))
        self._worst = np.zeros(lanes, dtype=np.int64)

    @property
    def waiting(self) -> np.ndarray:
        """Lanes that have finished their steps; bool (lane,)."""
        return self._role == _NONE

    def start(self, lanes: np.ndarray, draws: Draws) -> None:
        """Begin the steps of a loop in lanes, in the order of their draws."""
        self._parents[lanes] = draws.parents
        self._replacements[lanes] = draws.replacements
        self._step[lanes] = 0
        self._reflect(lanes)

    def learn(self, lanes: np.ndarray, values: np.ndarray) -> None:
        """Take the values (lane,) of the trials of some lanes, infinite where a run failed."""
        role = self._role[lanes]
        better = values < self.values[lanes, self._worst[lanes]]
        accepted = better | (role == _MUTATION)
        sample = role == _SAMPLE
        self._sampled(lanes[sample], values[sample])
        self._mutate(lanes[~accepted & (role == _CONTRACTION)])
        self._contract(lanes[~accepted & (role == _REFLECTION)])
        accepted &= ~sample
        self._replace(lanes[accepted], values[accepted])

    def ranked(self, lanes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (lane, point, parameter) and values of lanes, the best first."""
        order = self.order[lanes]
        rows = lanes[:, None]
        return self.points[rows, order], self.values[rows, order]

    def refill(self, lanes: np.ndarray, points: np.ndarray, values: np.ndarray) -> None:
        """Put other points into lanes, the best first."""
        self.points[lanes] = points
        self.values[lanes] = values
        self.order[lanes] = np.arange(points.shape[1])

    def _sampled(self, lanes: np.ndarray, values: np.ndarray) -> None:
        step = self._step[lanes]
        self.values[lanes, step] = values
        self._step[lanes] = step = step + 1
        last = step == self.points.shape[1]
        self._rank(lanes[last])
        self._role[lanes[last]] = _NONE
        lanes, step = lanes[~last], step[~last]
        self.trial[lanes] = self.points[lanes, step]

    def _reflect(self, lanes: np.ndarray) -> None:
        rows = lanes[:, None]
        slots = self.order[rows, self._parents[lanes, self._step[lanes]]]
        members = self.points[rows, slots]
        centroid = members[:, :-1].mean(axis=1)
        trial = 2.0 * centroid - members[:, -1]
        outside = ((trial < 0.0) | (trial > 1.0)).any(axis=1)
        trial[outside] = self._anywhere(lanes[outside], 0)
        self.trial[lanes] = trial
        self._centroid[lanes] = centroid
        self._worst[lanes] = slots[:, -1]
        self._role[lanes] = _REFLECTION

    def _contract(self, lanes: np.ndarray) -> None:
        worst = self.points[lanes, self._worst[lanes]]
        self.trial[lanes] = 0.5 * (self._centroid[lanes] + worst)
        self._role[lanes] = _CONTRACTION

    def _mutate(self, lanes: np.ndarray) -> None:
        self.trial[lanes] = self._anywhere(lanes, 1)
        self._role[lanes] = _MUTATION

    def _anywhere(self, lanes: np.ndarray, which: int) -> np.ndarray:
        """A random point of the smallest hypercube that holds the complex."""
        points = self.points[lanes]
        low, high = points.min(axis=1), points.max(axis=1)
        place = self._replacements[lanes, self._step[lanes], which]
        # Rounding must not lead out of it.
        return np.minimum(low + place * (high - low), high)

    def _replace(self, lanes: np.ndarray, values: np.ndarray) -> None:
        worst = self._worst[lanes]
        self.points[lanes, worst] = self.trial[lanes]
        self.values[lanes, worst] = values
        self._rank(lanes)
        self._step[lanes] += 1
        last = self._step[lanes] == self.points.shape[1]
        self._role[lanes[last]] = _NONE
        self._reflect(lanes[~last])

    def _rank(self, lanes: np.ndarray) -> None:
        # Among equals the old order stays, as if the points themselves were sorted.
        order = self.order[lanes]
        again = np.argsort(self.values[lanes[:, None], order], axis=1, kind="stable")
        self.order[lanes] = np.take_along_axis(order, again, axis=1)
