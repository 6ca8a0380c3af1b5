"""What every optimiser is given, checked."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np

from xdpl.errors import Problems, short

__all__ = ["Request", "check_number", "check_whole"]


@dataclass(frozen=True)
class Request:
    """Sites, parameters and the budget of a search.

    Parameters
    ----------
    keys : ndarray of int, (site,)
        Identify sites for their random streams; not negative. Sites with the same key search alike.
    parameters : int
        Dimensions of the unit cube.
    seed : int
        Not negative.
    evaluations : int
        Most evaluations of a site.
    start : ndarray, (site, parameter), optional
        A point in the unit cube that is among the first candidates.
    """

    keys: np.ndarray
    parameters: int
    seed: int
    evaluations: int
    start: np.ndarray | None

    def check(self, problems: Problems) -> None:
        """Note everything that is wrong."""
        keys = np.asarray(self.keys)
        if keys.ndim != 1 or not np.issubdtype(keys.dtype, np.integer) or (keys < 0).any():
            got = f"{keys.dtype} of shape {keys.shape}"
            fix = "give one whole number from 0 up for each site"
            problems.add("keys", expected="whole numbers (site,), none negative", got=got, fix=fix)
        check_whole(problems, "parameters", self.parameters, 1)
        check_whole(problems, "seed", self.seed, 0)
        check_whole(problems, "evaluations", self.evaluations, 1)
        if self.start is not None:
            self._check_start(problems, np.asarray(self.start), (keys.size, self.parameters))

    def _check_start(self, problems: Problems, start: np.ndarray, shape: tuple[int, int]) -> None:
        fix = "give one point of the unit cube for each site, or none"
        if start.shape != shape:
            problems.add("start", expected=f"shape {shape}", got=f"{start.shape}", fix=fix)
        # Also true for NaN.
        elif not ((start >= 0.0) & (start <= 1.0)).all():
            outside = int((~((start >= 0.0) & (start <= 1.0)).all(axis=1)).sum())
            problems.add("start", expected="values from 0 to 1", got=f"{outside} sites with others", fix=fix)

    def start_of(self, site: int) -> np.ndarray | None:
        """The start of a site, (parameter,), if there is one."""
        return None if self.start is None else np.array(self.start[site], dtype=np.float64)

    def seeds(self) -> list[np.random.SeedSequence]:
        """A seed of each site, of its key only."""
        return [np.random.SeedSequence([int(self.seed), int(key)]) for key in self.keys]


def check_whole(problems: Problems, subject: str, value: Any, least: int) -> None:
    """Note a value that is no whole number, or too small a one."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        fix = f"give a whole number, {least} or more"
        problems.add(subject, expected=f"a whole number from {least} up", got=short(value), fix=fix)


def check_number(problems: Problems, subject: str, value: Any, above: float | None = None) -> None:
    """Note a value that is no number from 0 up, or is not above a limit."""
    kind = "a number from 0 up" if above is None else f"a number above {above:g}"
    number = math.nan if isinstance(value, bool) or not isinstance(value, numbers.Real) else float(value)
    # Also true for NaN.
    if not (math.isfinite(number) and (number >= 0.0 if above is None else number > above)):
        problems.add(subject, expected=kind, got=short(value), fix=f"give {kind}")
