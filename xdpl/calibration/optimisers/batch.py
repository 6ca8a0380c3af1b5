"""Budget and best points of all sites: what optimisers have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from xdpl.calibration.optimisers.base import Candidates, Stopped
from xdpl.calibration.optimisers.request import Request
from xdpl.errors import Problems

__all__ = ["Batch"]


class Batch(ABC):
    """An `Optimiser` that keeps to its budget; a subclass proposes points and learns their values.

    Parameters
    ----------
    request : Request
        Checked.

    Attributes
    ----------
    done, stopped, evaluations, best_points, best_values
        As in `Optimiser`.
    """

    needs_slopes: bool = False

    def __init__(self, request: Request) -> None:
        sites = len(request.keys)
        self.stopped = np.full(sites, Stopped.RUNNING, dtype=np.int64)
        self.evaluations = np.zeros(sites, dtype=np.int64)
        self.best_points = np.full((sites, request.parameters), np.nan)
        self.best_values = np.full(sites, np.inf)
        self._request = request
        self._asked: Candidates | None = None

    @property
    def done(self) -> np.ndarray:
        """Sites that ask no more; bool (site,)."""
        return self.stopped != Stopped.RUNNING

    def ask(self) -> Candidates:
        """Points to evaluate; the same ones until their values are told."""
        if self._asked is None:
            proposed = self._propose()
            left = self._request.evaluations - self.evaluations
            wanted = proposed.wanted & ~self.done
            self._asked = Candidates(proposed.points, wanted & (np.cumsum(wanted, axis=0) <= left))
        return self._asked

    def tell(self, values: np.ndarray) -> None:
        """Take the values of the points; see `Optimiser.tell`."""
        values = np.asarray(values, dtype=np.float64)
        asked = self._check_told(values)
        self._asked = None
        fine = asked.wanted & np.isfinite(values)
        clean = np.where(fine, values, np.inf)
        self.evaluations += asked.wanted.sum(axis=0)
        self._keep_best(asked.points, clean)
        spent = ~self.done & (self.evaluations >= self._request.evaluations)
        self.stopped[spent] = Stopped.BUDGET
        self._learn(asked, clean)

    def close(self) -> None:
        """Ask no more."""
        self.stopped[~self.done] = Stopped.CLOSED
        self._asked = None

    def _check_told(self, values: np.ndarray) -> Candidates:
        problems = Problems("tell")
        if self._asked is None:
            problems.add("values", expected="points asked for", got="none since the last", fix="ask() first")
            problems.raise_all()
        elif np.shape(values) != self._asked.wanted.shape:
            shape = self._asked.wanted.shape
            fix = "give a value for each candidate and site"
            problems.add("values", expected=f"shape {shape}", got=f"{np.shape(values)}", fix=fix)
        problems.raise_if_any()
        return self._asked

    def _keep_best(self, points: np.ndarray, values: np.ndarray) -> None:
        if not len(values):
            return
        sites = np.arange(values.shape[1])
        best = np.argmin(values, axis=0)
        better = values[best, sites] < self.best_values
        sites, best = sites[better], best[better]
        self.best_values[sites] = values[best, sites]
        self.best_points[sites] = points[best, sites]

    @abstractmethod
    def _propose(self) -> Candidates:
        """Points for all sites that are not done, without regard to the budget."""

    @abstractmethod
    def _learn(self, asked: Candidates, values: np.ndarray) -> None:
        """Take values (candidate, site), infinite where a run failed or was not wanted."""
