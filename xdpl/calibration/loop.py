"""Ask an optimiser, run the model, tell the optimiser, until all sites are done."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xdpl.calibration.journal import Journal
from xdpl.calibration.optimisers.base import Candidates, Optimiser

__all__ = ["Best", "minimise"]

Evaluate = Callable[[np.ndarray, np.ndarray], np.ndarray]
Watch = Callable[["Best"], None]


@dataclass
class Best:
    """The best of every site so far, and what it cost.

    Parameters
    ----------
    points : ndarray, (site, parameter)
    values : ndarray, (site,)
        Infinite where no run was finite.
    evaluations : ndarray of int, (site,)
        Runs of the model that were asked for.
    interrupted : bool
    """

    points: np.ndarray
    values: np.ndarray
    evaluations: np.ndarray
    interrupted: bool = False

    @classmethod
    def of(cls, sites: int, parameters: int) -> Best:
        """Before the first run."""
        return cls(np.full((sites, parameters), 0.5), np.full(sites, np.inf), np.zeros(sites, np.int64))

    def update(self, points: np.ndarray, wanted: np.ndarray, values: np.ndarray) -> None:
        """Count the runs of a round, (candidate, site), and keep what is better."""
        self.evaluations += wanted.sum(axis=0)
        known = np.where(wanted & np.isfinite(values), values, np.inf)
        row = known.argmin(axis=0)
        site = np.arange(len(self.values))
        better = known[row, site] < self.values
        found = np.where(better[:, None], points[row, site], self.points)
        # Together: an interruption between the two would part them.
        self.values, self.points = np.where(better, known[row, site], self.values), found


def minimise(
    optimiser: Optimiser, evaluate: Evaluate, best: Best, *, journal: Journal, watch: Watch | None = None
) -> Best:
    """Run an optimiser to its end.

    Parameters
    ----------
    optimiser : Optimiser
    evaluate : callable
        Points (candidate, site, parameter) and which are wanted to values (candidate, site), or,
        for an optimiser that needs slopes, (candidate, site, 1 + parameter): values, then slopes.
    best : Best
        Filled in.
    journal : Journal
        Gives answers of an earlier run, and keeps new ones.
    watch : callable, optional
        Called with the best after every round.

    Notes
    -----
    Ctrl-C ends it with the best so far.
    """
    try:
        while not optimiser.done.all():
            asked = optimiser.ask()
            width = (1 + asked.points.shape[-1],) if optimiser.needs_slopes else ()
            answers = np.full((*asked.wanted.shape, *width), np.nan)
            if asked.wanted.any():
                answers[asked.wanted] = _answers(asked, width, evaluate, journal)
            best.update(asked.points, asked.wanted, answers[..., 0] if width else answers)
            optimiser.tell(answers)
            if watch is not None:
                watch(best)
    except KeyboardInterrupt:
        best.interrupted = True
    return best


def _answers(
    asked: Candidates, width: tuple[int, ...], evaluate: Evaluate, journal: Journal
) -> np.ndarray:
    """Of the wanted candidates, (wanted, *width)."""
    shape = (int(asked.wanted.sum()), *width)
    known = journal.next(math.prod(shape))
    if known is not None:
        return known.reshape(shape)
    answers = evaluate(asked.points, asked.wanted)[asked.wanted]
    journal.add(answers)
    return answers
