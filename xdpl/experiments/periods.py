"""Parts of the training period."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xdpl.experiments.case import Case

__all__ = ["days_of", "drawn_part", "shortened"]


def days_of(case: Case) -> int:
    """Steps in the training period."""
    return int(case.data["time"].sel(time=case.train).size)


def shortened(case: Case, days: int | None) -> Case:
    """The same case with the last days of its training period; None takes it whole."""
    if days is None or days >= days_of(case):
        return case
    return _between(case, days_of(case) - days, days)


def drawn_part(case: Case, days: int, seed: int) -> Case:
    """The same case with some days in a row of its training period, anywhere in it."""
    first = int(np.random.default_rng([seed, 3]).integers(days_of(case) - days + 1))
    return _between(case, first, days)


def _between(case: Case, first: int, days: int) -> Case:
    dates = case.data["time"].sel(time=case.train).dt.strftime("%Y-%m-%d").values[first : first + days]
    return replace(case, train=slice(str(dates[0]), str(dates[-1])))
