"""Shuffled complex evolution, SCE-UA."""

from __future__ import annotations

import numpy as np

from xdpl.calibration.optimisers.base import Candidates, Stopped
from xdpl.calibration.optimisers.batch import Batch
from xdpl.calibration.optimisers.complexes import Complexes
from xdpl.calibration.optimisers.convergence import Convergence
from xdpl.calibration.optimisers.draws import Draws
from xdpl.calibration.optimisers.request import Request, check_number, check_whole
from xdpl.errors import Problems

__all__ = ["SCEUA"]


class SCEUA(Batch):
    """Shuffled complex evolution (SCE-UA) of all sites at once.

    A random sample of the unit cube is dealt out to complexes, each of which evolves by itself for
    some steps; then all points of the site are shuffled, sorted and dealt out anew. Each complex
    asks for one point at a time, so a call of `ask` gives up to one candidate per complex and site;
    complexes that have finished their steps wait for the others of their own site.

    A complex has ``2 n + 1`` points for ``n`` parameters and takes as many steps before the next
    shuffle, with ``n + 1`` parents and one offspring in each, as Duan et al. (1994) recommend.

    Parameters
    ----------
    keys : ndarray of int, (site,)
        Identify sites for their random streams: the run of a site depends on the seed and its key
        only, not on the other sites.
    parameters : int
        Dimensions of the unit cube.
    seed : int
    evaluations : int
        Most evaluations of a site; a search that would go on is cut there.
    start : ndarray, (site, parameter), optional
        A point in the unit cube that takes the place of the first of the sample.
    complexes : int
        More find the global optimum more surely, for about as many times the evaluations; the first
        sample alone takes ``complexes * (2 n + 1)``.
    tolerance : float
        A site stops when its best value has improved in `stall_loops` shuffles by no more than this
        fraction of the mean magnitude of the best values meanwhile.
    tolerance_parameters : float
        A site stops when the geometric mean of the ranges of its points, as fractions of the
        bounds, falls below this.
    stall_loops : int
        Shuffles.

    Raises
    ------
    InputErrors
        Listing everything that is wrong with the arguments.

    References
    ----------
    Duan, Q., Sorooshian, S. and Gupta, V. (1992). Effective and efficient global optimization for
    conceptual rainfall-runoff models. Water Resources Research 28, 1015–1031.
    https://doi.org/10.1029/91WR02985

    Duan, Q., Sorooshian, S. and Gupta, V. K. (1994). Optimal use of the SCE-UA global optimization
    method for calibrating watershed models. Journal of Hydrology 158, 265–284.
    https://doi.org/10.1016/0022-1694(94)90057-4
    """

    def __init__(
        self,
        keys: np.ndarray,
        parameters: int,
        *,
        seed: int,
        evaluations: int,
        start: np.ndarray | None = None,
        complexes: int = 5,
        tolerance: float = 1e-3,
        tolerance_parameters: float = 1e-3,
        stall_loops: int = 10,
    ) -> None:
        request = Request(keys, parameters, seed, evaluations, start)
        problems = Problems("SCEUA")
        request.check(problems)
        check_whole(problems, "complexes", complexes, 1)
        check_number(problems, "tolerance", tolerance)
        check_number(problems, "tolerance_parameters", tolerance_parameters)
        check_whole(problems, "stall_loops", stall_loops, 1)
        problems.raise_if_any()
        super().__init__(request)
        self._count = complexes
        self._generators = [np.random.default_rng(s) for s in request.seeds()]
        self._convergence = Convergence(len(keys), tolerance, tolerance_parameters, stall_loops)
        self._complexes = Complexes(self._sample())

    def _sample(self) -> np.ndarray:
        """The first points, (lane, point, parameter); in the order drawn they are asked for."""
        count, n = self._count, self._request.parameters
        points = np.empty((len(self._generators), 2 * n + 1, count, n))
        for own, generator in zip(points, self._generators, strict=True):
            generator.random(out=own)
        if self._request.start is not None:
            points[:, 0, 0] = self._request.start
        return np.ascontiguousarray(points.swapaxes(1, 2)).reshape(-1, 2 * n + 1, n)

    def _by_site(self, lanes: np.ndarray) -> np.ndarray:
        return lanes.reshape(len(self._generators), self._count, *lanes.shape[1:])

    def _propose(self) -> Candidates:
        points = self._by_site(self._complexes.trial).swapaxes(0, 1).copy()
        return Candidates(points, ~self._by_site(self._complexes.waiting).T)

    def _learn(self, asked: Candidates, values: np.ndarray) -> None:
        lanes = np.flatnonzero(asked.wanted.T)
        self._complexes.learn(lanes, values.T.ravel()[lanes])
        ready = self._by_site(self._complexes.waiting).all(axis=1) & ~self.done
        if ready.any():
            self._shuffle(np.flatnonzero(ready))

    def _shuffle(self, sites: np.ndarray) -> None:
        """Sort all points of sites, stop or deal them out anew, and begin the next loop."""
        count = self._count
        lanes = (sites[:, None] * count + np.arange(count)).ravel()
        points, values = self._complexes.ranked(lanes)
        size, n = points.shape[1:]
        points = points.reshape(len(sites), count * size, n)
        values = values.reshape(len(sites), count * size)
        order = np.argsort(values, axis=1, kind="stable")
        values = np.take_along_axis(values, order, axis=1)
        points = np.take_along_axis(points, order[..., None], axis=1)
        verdict = self._convergence.judge(sites, points, values)
        self.stopped[sites] = verdict
        # The k-th of every `count` points goes to complex k.
        points = points.reshape(len(sites), size, count, n).swapaxes(1, 2).reshape(-1, size, n)
        values = values.reshape(len(sites), size, count).swapaxes(1, 2).reshape(-1, size)
        self._complexes.refill(lanes, points, values)
        for site in sites[verdict == Stopped.RUNNING]:
            draws = Draws.of(self._generators[site], count, n)
            self._complexes.start(np.arange(site * count, (site + 1) * count), draws)
