"""When a shuffled population has converged."""

from __future__ import annotations

import numpy as np

from xdpl.calibration.optimisers.base import Stopped

__all__ = ["Convergence", "mean_range"]


def mean_range(points: np.ndarray) -> np.ndarray:
    """Geometric mean over parameters of the range of points (site, point, parameter); (site,)."""
    extent = points.max(axis=1) - points.min(axis=1)
    return np.exp(np.log(np.maximum(extent, np.finfo(float).tiny)).mean(axis=1))


class Convergence:
    """The best value of each site after each shuffle, judged against the one some shuffles before.

    Parameters
    ----------
    sites : int
    tolerance, tolerance_parameters, stall_loops
        As in `SCEUA`.
    """

    def __init__(self, sites: int, tolerance: float, tolerance_parameters: float, stall_loops: int) -> None:
        self._tolerance = tolerance
        self._tolerance_parameters = tolerance_parameters
        #: Oldest first; NaN before the first shuffle.
        self._best = np.full((sites, stall_loops + 1), np.nan)

    def judge(self, sites: np.ndarray, points: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Look at sites after a shuffle.

        Parameters
        ----------
        sites : ndarray of int, (chosen,)
        points, values : ndarray, (chosen, point, parameter) and (chosen, point)
            The best first.

        Returns
        -------
        ndarray of int, (chosen,)
            As `Stopped`.
        """
        best = np.concatenate([self._best[sites, 1:], values[:, :1]], axis=1)
        self._best[sites] = best
        known = np.isfinite(best).all(axis=1)
        best = np.where(known[:, None], best, 0.0)
        gain = best[:, 0] - best[:, -1]
        stalled = known & (gain <= self._tolerance * np.abs(best).mean(axis=1))
        together = mean_range(points) < self._tolerance_parameters
        return np.select(
            [together, stalled], [int(Stopped.PARAMETERS), int(Stopped.STALL)], int(Stopped.RUNNING)
        )
