"""The misfit along directions of the parameter space."""

from __future__ import annotations

import numpy as np

from xdpl.calibration.cube import Cube
from xdpl.calibration.problem import Problem
from xdpl.engines.tracing.trace import remembering
from xdpl.evaluation.diagnostics.case import Case

__all__ = ["profiles", "together"]


def profiles(
    case: Case, start: np.ndarray, directions: np.ndarray, positions: np.ndarray, engine: str | None
) -> np.ndarray:
    """Root mean square error of each site along each of its directions.

    Parameters
    ----------
    case : Case
    start : ndarray, (site, parameter)
        Shares of the bounds.
    directions : ndarray, (site, direction, parameter)
    positions : ndarray, (position,)
        Steps along a direction of unit length; a parameter that meets a bound stays there.
    engine : str or None

    Returns
    -------
    ndarray of float64, (site, direction, position)
        In units of the target; NaN where a run or a direction is not finite.
    """
    model = case.model
    problem = Problem(
        model,
        case.output,
        Cube(tuple(model.parameters)),
        case.forcings,
        {},
        case.observed,
        case.warmup,
        "rmse",
        engine,
    )
    sites, count, _ = directions.shape
    known = np.isfinite(directions).all(axis=(1, 2))
    rows = np.where(known[:, None, None], directions, 0.0).transpose(1, 0, 2)
    found = np.empty((count, len(positions), sites))
    wanted = np.broadcast_to(known, (len(positions), sites))
    with remembering():
        for i, row in enumerate(rows):
            points = start + positions[:, None, None] * row
            found[i] = problem(np.clip(points, 0.0, 1.0), wanted)
    found[~np.isfinite(found)] = np.nan
    return found.transpose(2, 0, 1)


def together(case: Case, errors: np.ndarray) -> np.ndarray:
    """Root mean square error over all observations, from that (site, ...) of each site."""
    count = (~np.isnan(case.observed)).sum(axis=0).astype(np.float64)
    known = ~np.isnan(errors)
    weight = np.where(known, count.reshape(-1, *(1 for _ in errors.shape[1:])), 0.0)
    total = weight.sum(axis=0)
    squares = (weight * np.where(known, errors, 0.0) ** 2).sum(axis=0)
    pooled: np.ndarray = np.sqrt(squares / np.where(total > 0, total, np.nan))
    return pooled
