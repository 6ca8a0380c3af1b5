"""Shorter training periods."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xdpl.experiments.case import Case

__all__ = ["shortened", "years_of"]


def years_of(case: Case) -> int:
    """Whole years in the training period, at least 1."""
    return max(1, round(case.ds["time"].sel(time=case.train).size / 365.25))


def shortened(case: Case, years: int | None) -> Case:
    """The same case with the last years of its training period; None takes it whole."""
    if years is None or years >= years_of(case):
        return case
    inside = case.ds["time"].sel(time=case.train)
    dates = inside.dt.strftime("%Y-%m-%d").values
    first = max(0, dates.size - int(np.ceil(365.25 * years)))
    return replace(case, train=slice(str(dates[first]), str(dates[-1])))
