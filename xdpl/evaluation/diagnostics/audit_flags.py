"""What of a gradient audit is worth a look, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from xdpl.evaluation.diagnostics.loss_and_score import KGE, kind_of

__all__ = ["slow", "words"]

_MOST = {"not_finite": 0.0, "mismatch": 0.01, "zero": 0.5, "at_bound": 0.1}
_SAID = {
    "not_finite": "the gradient is not finite at some sites",
    "mismatch": "adjoint and central differences differ at more than 1 % of the sites",
    "zero": "no gradient at more than half of the sites: the observations cannot teach it there",
    "at_bound": "at a bound at more than 10 % of the sites, where learning moves it little",
}
# Of sites where the parameter matters, that keep the sign of the gradient without the warm-up.
_KEPT = 0.9
# Of the gradient, what flows through the warm-up.
_PART = 0.5
_COST = 0.05


def slow(found: xr.Dataset) -> xr.DataArray:
    """Which parameters act through a store slower than the window."""
    kept, left = found["sign_agreement"], found["remaining"]
    return (kept < _KEPT) | (abs(left - 1.0) > _PART)


def words(found: xr.Dataset, sites: xr.Dataset, loss: str, score: str, warmup: int) -> tuple[str, ...]:
    """One sentence for each kind of trouble.

    Parameters
    ----------
    found, sites : Dataset
        Of an `Audit`.
    loss, score : str
    warmup : int
    """
    flags = []
    for name, most in _MOST.items():
        if caught := _names(found, found[name] > most):
            flags.append(f"{_SAID[name]}: {', '.join(caught)}")
    if caught := _names(found, found["slow"]):
        flags.append(
            f"slow store: on what flows through the warm-up of {warmup} steps hangs the sign of the gradient,"
            f" or more than half of its size: {', '.join(caught)}"
        )
    return (*flags, *_inconsistent(sites, loss, score))


def _names(found: xr.Dataset, which: xr.DataArray) -> Sequence[str]:
    return [str(name) for name in found["parameter"].values[which.values]]


def _inconsistent(sites: xr.Dataset, loss: str, score: str) -> list[str]:
    cost = sites["cost"].values
    known = cost[np.isfinite(cost)]
    if not known.size or np.median(known) <= _COST:
        return []
    typical, correlation = float(np.median(known)), float(sites["correlation"].median())
    head = f"loss and score differ: at a correlation of {correlation:.2f} (median)"
    if kind_of(score) == KGE:
        return [f"{head} the best {loss} has a KGE lower by {typical:.2f} than it could be"]
    inflated = f"the best {loss} keeps the whole variance, and its RMSE is {100 * typical:.0f} % larger"
    return [f"{head} {inflated} than it could be"]
