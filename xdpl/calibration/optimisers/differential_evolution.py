"""Differential evolution, by SciPy."""

from __future__ import annotations

import functools
import inspect
import math

import numpy as np

from xdpl.calibration.optimisers.base import Candidates, Stopped
from xdpl.calibration.optimisers.batch import Batch
from xdpl.calibration.optimisers.callback import Conversation, Function
from xdpl.calibration.optimisers.request import Request, check_number, check_whole
from xdpl.errors import Problems

__all__ = ["DifferentialEvolution"]

# Generations that a budget should last for, and the most points per parameter, SciPy's default.
_GENERATIONS = 100
_MOST = 15


class DifferentialEvolution(Batch):
    """Differential evolution of all sites, by `scipy.optimize.differential_evolution`.

    SciPy's defaults (``"best1bin"``, mutation dithered between 0.5 and 1, recombination 0.7, a
    Latin hypercube first), one generation at a time, without polishing. Each site has a thread of
    its own, which sleeps while its points are evaluated: `close` ends them, and so does letting go
    of the optimiser.

    Parameters
    ----------
    keys : ndarray of int, (site,)
        Identify sites for their random streams: the run of a site depends on the seed and its key
        only, not on the other sites.
    parameters : int
        Dimensions of the unit cube.
    seed : int
    evaluations : int
        Most evaluations of a site; the last generation is cut there and not used to breed.
    start : ndarray, (site, parameter), optional
        A point in the unit cube that is in the first generation.
    population : int, optional
        Points per parameter in a generation, which has five at least. By default so many that the
        budget lasts for about 100 generations, 2 to 15.
    tolerance : float
        A site stops when the standard deviation of the values of its generation is at most this
        fraction of the magnitude of their mean.

    Raises
    ------
    InputErrors
        Listing everything that is wrong with the arguments.

    References
    ----------
    Storn, R. and Price, K. (1997). Differential evolution – a simple and efficient heuristic for
    global optimization over continuous spaces. Journal of Global Optimization 11, 341–359.
    https://doi.org/10.1023/A:1008202821328
    """

    def __init__(
        self,
        keys: np.ndarray,
        parameters: int,
        *,
        seed: int,
        evaluations: int,
        start: np.ndarray | None = None,
        population: int | None = None,
        tolerance: float = 1e-4,
    ) -> None:
        request = Request(keys, parameters, seed, evaluations, start)
        problems = Problems("DifferentialEvolution")
        request.check(problems)
        if population is not None:
            check_whole(problems, "population", population, 1)
        check_number(problems, "tolerance", tolerance)
        problems.raise_if_any()
        super().__init__(request)
        if population is None:
            population = min(max(evaluations // (_GENERATIONS * parameters), 2), _MOST)
        self._size = max(5, population * parameters)
        self._population = population
        self._tolerance = tolerance
        self._talks: list[Conversation] = []
        self._next: list[np.ndarray | None] = []

    def close(self) -> None:
        """Ask no more, and end the threads."""
        super().close()
        for talk in self._talks:
            talk.close()

    def _propose(self) -> Candidates:
        active = np.flatnonzero(~self.done)
        if active.size and not self._talks:
            self._begin()
        points = np.full((self._size, len(self.stopped), self._request.parameters), 0.5)
        for site in active:
            points[:, site] = self._next[site]
        return Candidates(points, np.broadcast_to(~self.done, points.shape[:2]))

    def _begin(self) -> None:
        talks = []
        for site, seeds in enumerate(self._request.seeds()):
            solve = functools.partial(
                _solve,
                parameters=self._request.parameters,
                generator=np.random.default_rng(seeds),
                start=self._request.start_of(site),
                population=self._population,
                generations=math.ceil(self._request.evaluations / self._size),
                tolerance=self._tolerance,
            )
            talks.append(Conversation(solve, f"xdpl differential evolution {site}"))
        self._next = [talk.listen() for talk in talks]
        self._talks = talks

    def _learn(self, asked: Candidates, values: np.ndarray) -> None:
        told = np.flatnonzero(asked.wanted.any(axis=0))
        active = told[~self.done[told]]
        for site in active:
            self._talks[site].answer(values[:, site].copy())
        # All think before the first is listened to.
        for site in active:
            self._next[site] = points = self._talks[site].listen()
            if points is None:
                self.stopped[site] = Stopped.VALUES
        for site in told[self.done[told]]:
            self._talks[site].close()


def _solve(
    function: Function,
    *,
    parameters: int,
    generator: np.random.Generator,
    start: np.ndarray | None,
    population: int,
    generations: int,
    tolerance: float,
) -> None:
    from scipy.optimize import differential_evolution

    # The name of the argument until SciPy 1.15.
    own = "rng" if "rng" in inspect.signature(differential_evolution).parameters else "seed"
    differential_evolution(
        lambda points: function(np.ascontiguousarray(points.T)),
        bounds=[(0.0, 1.0)] * parameters,
        popsize=population,
        maxiter=generations,
        tol=tolerance,
        x0=start,
        polish=False,
        updating="deferred",
        vectorized=True,
        **{own: generator},
    )
