"""What an optimiser is asked and told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np

__all__ = ["Candidates", "Optimiser", "Stopped"]


class Stopped(IntEnum):
    """Why a site asks no more."""

    RUNNING = 0
    #: The evaluations are used up.
    BUDGET = 1
    #: The points have come together.
    PARAMETERS = 2
    #: The best value has not improved.
    STALL = 3
    #: The values of the points have come together.
    VALUES = 4
    #: Closed before its end.
    CLOSED = 5


@dataclass(frozen=True)
class Candidates:
    """Points whose values an optimiser wants to be told.

    Parameters
    ----------
    points : ndarray, (candidate, site, parameter)
        In the unit cube; also where not wanted, so that they may be run all the same.
    wanted : ndarray of bool, (candidate, site)
    """

    points: np.ndarray
    wanted: np.ndarray


class Optimiser(Protocol):
    """Minimises one function per site, all sites at once; sites know nothing of each other.

    The run of a site depends on the seed and its key only. The same values told give the same
    points, so that a run is taken up again by telling once more what it was told.

    Attributes
    ----------
    needs_slopes : bool
        Whether it is told values with slopes, (candidate, site, 1 + parameter).
    """

    needs_slopes: bool

    @property
    def done(self) -> np.ndarray:
        """Sites that ask no more; bool (site,)."""

    @property
    def stopped(self) -> np.ndarray:
        """Why, as `Stopped`; int (site,)."""

    @property
    def evaluations(self) -> np.ndarray:
        """Values told that were wanted; int (site,)."""

    @property
    def best_points(self) -> np.ndarray:
        """Point of the least value so far, NaN where there is none; (site, parameter)."""

    @property
    def best_values(self) -> np.ndarray:
        """Least value so far, infinite where no run has succeeded; (site,)."""

    def ask(self) -> Candidates:
        """Points to evaluate; the same ones until their values are told."""

    def tell(self, values: np.ndarray) -> None:
        """Take the values of the points.

        Parameters
        ----------
        values : ndarray, (candidate, site)
            Read where wanted only. NaN and infinite values are failed runs, the worst of all.
        """

    def close(self) -> None:
        """Ask no more, and let go of what runs in the background."""
