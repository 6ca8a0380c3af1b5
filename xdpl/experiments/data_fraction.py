"""With how few sites learning matches the best regionalisation of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from xdpl.experiments.attrs import described
from xdpl.experiments.case import Case
from xdpl.experiments.resampling import at_scored_sites, drawn
from xdpl.experiments.scaling import scaling

__all__ = ["data_fraction", "fraction_needed"]

REGIONALISATIONS = ("donors", "regression")


def data_fraction(
    case: Case,
    *,
    sizes: Sequence[int] | None = None,
    held_out: int = 100,
    seeds: Sequence[int] = (0, 1, 2),
    out: str | Path | None = None,
    progress: bool = True,
) -> xr.Dataset:
    """Smallest share of the training sites with which learning is as good as the best regionalisation.

    Parameters
    ----------
    case : Case
    sizes, held_out, seeds, out, progress
        As in `scaling`, whose trials are used.

    Returns
    -------
    Dataset
        That of `scaling`, and: ``fraction``, of the largest of the sizes, from which on it holds,
        interpolated between sizes along logarithms, infinite where it is not reached; ``fraction_resampled``
        (resample), the same with held-out sites and seeds drawn with replacement, of which
        quantiles are an interval; ``reference``, the median score of the better regionalisation.

    Raises
    ------
    InputErrors
        As `scaling`, or if no held-out site has a score in every trial.
    """
    contenders = ("dpl", *REGIONALISATIONS)
    result = scaling(
        case, sizes=sizes, held_out=held_out, contenders=contenders, seeds=seeds, out=out, progress=progress
    )
    return described(fraction_needed(result, lower=case.lower_is_better), case, "data-fraction")


def fraction_needed(result: xr.Dataset, *, lower: bool) -> xr.Dataset:
    """Add the share that is needed to a result of `scaling`; `lower` says whether less is better."""
    score = result[result.attrs["score"]]
    sizes = score["size"].values.astype(float)
    order = ("contender", "size", "seed")
    values = at_scored_sites(score, order, "data_fraction")
    rows = {str(k): i for i, k in enumerate(score["contender"].values)}
    others = [rows[k] for k in REGIONALISATIONS if k in rows]
    sign = 1.0 if lower else -1.0
    whole, reference = _needed(values[rows["dpl"]], values[others], sizes, sign)
    resampled = np.array([_needed(v[rows["dpl"]], v[others], sizes, sign)[0] for v in drawn(values)])
    result = result.assign(
        fraction=((), whole), fraction_resampled=("resample", resampled), reference=((), reference)
    )
    said = {"units": "1", "long_name": "share of the training sites that learning needs"}
    result["fraction"].attrs = said
    result["fraction_resampled"].attrs = said
    result["reference"].attrs = dict(score.attrs) | {"long_name": "best regionalisation of all sites"}
    return result


def _needed(ours: np.ndarray, others: np.ndarray, sizes: np.ndarray, sign: float) -> tuple[float, float]:
    """Share of the largest size, and the score to match; from (size, seed, site) and (way, ...)."""
    reference = sign * float((sign * np.median(others[:, -1], axis=-1).mean(axis=-1)).min())
    curve = sign * (np.median(ours, axis=-1).mean(axis=-1) - reference)
    if not np.isfinite(curve).all():
        return np.nan, reference
    # From where on it holds: a smaller sample that was lucky does not count.
    behind = np.flatnonzero(curve > 0.0)
    first = int(behind[-1]) + 1 if behind.size else 0
    if first == len(sizes):
        return np.inf, reference
    if first == 0:
        return float(sizes[0] / sizes[-1]), reference
    above, below = curve[first - 1], curve[first]
    part = above / (above - below)
    size = np.exp(np.log(sizes[first - 1]) + part * np.log(sizes[first] / sizes[first - 1]))
    return float(size / sizes[-1]), reference
