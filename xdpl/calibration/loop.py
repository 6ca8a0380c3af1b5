"""Ask an optimiser, run the model, tell the optimiser, until all sites are done."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from xdpl.calibration.journal import Journal
from xdpl.calibration.optimisers.base import Candidates, Optimiser

__all__ = ["Evaluate", "minimise"]

Evaluate = Callable[[np.ndarray, np.ndarray], np.ndarray]


def minimise(
    optimiser: Optimiser,
    evaluate: Evaluate,
    *,
    journal: Journal,
    watch: Callable[[Optimiser], None] | None = None,
) -> bool:
    """Run an optimiser to its end.

    Parameters
    ----------
    optimiser : Optimiser
        Has the best points afterwards.
    evaluate : callable
        Points (candidate, site, parameter) and which are wanted to values (candidate, site), or,
        for an optimiser that needs slopes, (candidate, site, 1 + parameter): values, then slopes.
    journal : Journal
        Gives answers of an earlier run, and keeps new ones.
    watch : callable, optional
        Called after every round.

    Returns
    -------
    bool
        False if Ctrl-C ended it; the best so far is kept.
    """
    try:
        while not optimiser.done.all():
            asked = optimiser.ask()
            width = (1 + asked.points.shape[-1],) if optimiser.needs_slopes else ()
            answers = np.full((*asked.wanted.shape, *width), np.nan)
            if asked.wanted.any():
                answers[asked.wanted] = _answers(asked, width, evaluate, journal)
            optimiser.tell(answers)
            if watch is not None:
                watch(optimiser)
    except KeyboardInterrupt:
        return False
    return True


def _answers(asked: Candidates, width: tuple[int, ...], evaluate: Evaluate, journal: Journal) -> np.ndarray:
    """Of the wanted candidates, (wanted, *width)."""
    shape = (int(asked.wanted.sum()), *width)
    points = asked.points[asked.wanted]
    known = journal.next(points, math.prod(shape))
    if known is not None:
        return known.reshape(shape)
    answers = evaluate(asked.points, asked.wanted)[asked.wanted]
    journal.add(points, answers)
    return answers
