"""When does a process model pay? Learning beside a pure LSTM on a grid of sites and days."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from xdpl.errors import Problems
from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.periods import days_of
from xdpl.experiments.resampling import at_scored_sites, drawn
from xdpl.experiments.scaling import scaling

__all__ = ["advantage", "data_efficiency"]


def data_efficiency(
    case: Case,
    *,
    sizes: Sequence[int] | None = None,
    days: Sequence[int] | None = None,
    held_out: int = 100,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Score parameter learning and a network without a process model, with more and more data.

    Parameters
    ----------
    case : Case
        With settings of the network, `Case.alone`.
    sizes, held_out, seeds, out, progress
        As in `scaling`.
    days : sequence of int, optional
        As in `scaling`; a quarter, half and all of the training period if not given.

    Returns
    -------
    Dataset
        That of `scaling`, and: ``advantage`` (days, size), by how much the median score of
        learning is better, mean of seeds; ``advantage_low``, ``advantage_high``, its 5 and 95 %
        quantiles with held-out sites and seeds drawn with replacement; ``crossover`` (days), the
        number of sites at which the network becomes as good, interpolated along logarithms,
        infinite if it does not, with ``crossover_low`` and ``crossover_high``.

    Raises
    ------
    InputErrors
        As `scaling`, or if the case has no settings for the network, or no held-out site a score in
        every trial.
    """
    if case.alone is None:
        problems = Problems("data_efficiency")
        problems.add("case", expected="settings of a network alone", got="none", fix="Case(..., alone={...})")
        problems.raise_all()
    whole = days_of(case)
    days = (whole // 4, whole // 2, whole) if days is None else days
    result = scaling(
        case,
        sizes=sizes,
        days=days,
        held_out=held_out,
        contenders=("dpl", "lstm"),
        seeds=seeds,
        out=out,
        progress=progress,
    )
    return described(advantage(result, lower=case.lower_is_better), case, "data-efficiency")


def advantage(result: xr.Dataset, *, lower: bool) -> xr.Dataset:
    """Add advantage and crossover to a result of `scaling`; `lower` says whether less is better."""
    score = result[result.attrs["score"]]
    order = ("contender", "days", "size", "seed")
    values = at_scored_sites(score.sel(contender=["dpl", "lstm"]), order, "data_efficiency")
    sign = 1.0 if lower else -1.0
    sizes = score["size"].values.astype(float)

    def gain(of: np.ndarray) -> np.ndarray:
        medians = np.median(of, axis=-1).mean(axis=-1)
        better: np.ndarray = sign * (medians[1] - medians[0])
        return better

    whole, resampled = gain(values), np.stack([gain(v) for v in drawn(values)])
    low, high = np.quantile(resampled, [0.05, 0.95], axis=0)
    crossings = np.array([[_crossing(row, sizes) for row in each] for each in resampled])
    found = {
        "advantage": (("days", "size"), whole),
        "advantage_low": (("days", "size"), low),
        "advantage_high": (("days", "size"), high),
        "crossover": ("days", np.array([_crossing(row, sizes) for row in whole])),
        # Quantiles of infinite values are not to be interpolated.
        "crossover_low": ("days", np.quantile(crossings, 0.05, axis=0, method="lower")),
        "crossover_high": ("days", np.quantile(crossings, 0.95, axis=0, method="higher")),
    }
    result = result.assign(found)
    for name in found:
        if name.startswith("advantage"):
            said = {"units": score.attrs["units"], "long_name": "by how much parameter learning is better"}
        else:
            said = {"units": "1", "long_name": "training sites at which a network alone is as good"}
        result[name].attrs = said
    return result


def _crossing(gain: np.ndarray, sizes: np.ndarray) -> float:
    """Where the gain falls to zero for good; the least size if it never is above, infinite if always."""
    if not np.isfinite(gain).all():
        return float("nan")
    above = np.flatnonzero(gain > 0.0)
    if not above.size:
        return float(sizes[0])
    last = int(above[-1])
    if last == len(sizes) - 1:
        return float("inf")
    part = gain[last] / (gain[last] - gain[last + 1])
    return float(np.exp(np.log(sizes[last]) + part * np.log(sizes[last + 1] / sizes[last])))
