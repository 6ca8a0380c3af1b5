"""CMA-ES with restarts, by the library cmaes."""

from __future__ import annotations

from typing import Any

import numpy as np

from xdpl.calibration.optimisers.base import Candidates
from xdpl.calibration.optimisers.batch import Batch
from xdpl.calibration.optimisers.request import Request, check_number, check_whole
from xdpl.errors import Problems

__all__ = ["CMAES"]


class CMAES(Batch):
    """Evolution strategy with an adapted covariance matrix, one of the library cmaes per site.

    Points beyond the bounds are drawn anew. When the library says that a search has come to its
    end, another begins at a random point with twice the population (IPOP), until the budget is
    used up.

    Parameters
    ----------
    keys : ndarray of int, (site,)
        Identify sites for their random streams: the run of a site depends on the seed and its key
        only, not on the other sites.
    parameters : int
        Dimensions of the unit cube.
    seed : int
    evaluations : int
        Most evaluations of a site; the last generation is cut there.
    start : ndarray, (site, parameter), optional
        Where the first search begins; the first candidate. Without it, it begins in the middle of
        the cube.
    population : int, optional
        Points of a generation of the first search; by default ``4 + floor(3 ln n)`` for ``n``
        parameters.
    sigma : float
        Standard deviation with which each search begins, as a fraction of the bounds.

    Raises
    ------
    InputErrors
        Listing everything that is wrong with the arguments, among it that cmaes is not installed.

    References
    ----------
    Hansen, N. and Ostermeier, A. (2001). Completely derandomized self-adaptation in evolution
    strategies. Evolutionary Computation 9, 159–195. https://doi.org/10.1162/106365601750190398

    Auger, A. and Hansen, N. (2005). A restart CMA evolution strategy with increasing population
    size. IEEE Congress on Evolutionary Computation, 1769–1776.
    https://doi.org/10.1109/CEC.2005.1554902
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
        sigma: float = 0.3,
    ) -> None:
        request = Request(keys, parameters, seed, evaluations, start)
        problems = Problems("CMAES")
        request.check(problems)
        if population is not None:
            check_whole(problems, "population", population, 2)
        check_number(problems, "sigma", sigma, above=0.0)
        _check_installed(problems)
        problems.raise_if_any()
        super().__init__(request)
        self._searches = [
            _Search(parameters, np.random.default_rng(s), request.start_of(site), population, sigma)
            for site, s in enumerate(request.seeds())
        ]

    def _propose(self) -> Candidates:
        active = np.flatnonzero(~self.done)
        size = max((self._searches[site].size for site in active), default=0)
        points = np.full((size, len(self._searches), self._request.parameters), 0.5)
        wanted = np.zeros(points.shape[:2], dtype=bool)
        for site in active:
            own = self._searches[site].generation()
            points[: len(own), site] = own
            wanted[: len(own), site] = True
        return Candidates(points, wanted)

    def _learn(self, asked: Candidates, values: np.ndarray) -> None:
        for site in np.flatnonzero(asked.wanted.any(axis=0) & ~self.done):
            wanted = asked.wanted[:, site]
            self._searches[site].learn(asked.points[wanted, site], values[wanted, site])


class _Search:
    """The searches of one site, one after the other."""

    def __init__(
        self,
        parameters: int,
        generator: np.random.Generator,
        start: np.ndarray | None,
        population: int | None,
        sigma: float,
    ) -> None:
        self._generator = generator
        self._sigma = sigma
        self._start = start
        self._begin(np.full(parameters, 0.5) if start is None else start, population)

    @property
    def size(self) -> int:
        """Points of a generation."""
        return int(self._strategy.population_size)

    def generation(self) -> np.ndarray:
        """The next points (candidate, parameter)."""
        points = np.array([self._strategy.ask() for _ in range(self.size)])
        if self._start is not None:
            points[0], self._start = self._start, None
        return points

    def learn(self, points: np.ndarray, values: np.ndarray) -> None:
        """Take the values (candidate,) of a whole generation, infinite where a run failed."""
        fine = np.isfinite(values)
        # The library subtracts values; only their order matters for the search.
        worst = np.nextafter(values[fine].max(), np.inf) if fine.any() else 0.0
        values = np.where(fine, values, worst)
        self._strategy.tell(list(zip(points, values.tolist(), strict=True)))
        if self._strategy.should_stop():
            again = self._generator.random((points.shape[1],))
            self._begin(again, 2 * self.size)

    def _begin(self, mean: np.ndarray, population: int | None) -> None:
        from cmaes import CMA

        self._strategy: Any = CMA(
            mean=mean,
            sigma=self._sigma,
            bounds=np.tile([0.0, 1.0], (len(mean), 1)),
            seed=int(self._generator.integers(2**32)),
            population_size=population,
        )


def _check_installed(problems: Problems) -> None:
    try:
        import cmaes  # noqa: F401
    except ImportError as error:
        problems.add("cmaes", expected="it installed", got=str(error), fix="pip install 'xdpl[calibrate]'")
