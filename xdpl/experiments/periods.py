"""Shorter training periods."""

from __future__ import annotations

from dataclasses import replace

from xdpl.experiments.case import Case

__all__ = ["days_of", "shortened"]


def days_of(case: Case) -> int:
    """Steps in the training period."""
    return int(case.data["time"].sel(time=case.train).size)


def shortened(case: Case, days: int | None) -> Case:
    """The same case with the last days of its training period; None takes it whole."""
    if days is None or days >= days_of(case):
        return case
    dates = case.data["time"].sel(time=case.train).dt.strftime("%Y-%m-%d").values[-days:]
    return replace(case, train=slice(str(dates[0]), str(dates[-1])))
