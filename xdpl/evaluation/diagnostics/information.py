"""What the observations of each site tell about its parameters."""

from __future__ import annotations

import numpy as np

from xdpl.calibration.cube import Cube
from xdpl.engines.tracing.trace import remembering
from xdpl.evaluation.diagnostics.case import Case
from xdpl.models import Parameter

__all__ = ["PRIOR", "fisher_information", "shares", "slopes", "width"]

PRIOR = 12.0
"""Information on a share of the bounds from the bounds alone: a uniform distribution has variance 1/12."""

# Numbers of a Jacobian, and of the series beside it, that are held at once.
_AT_ONCE = 2**24


def fisher_information(case: Case, noise: float, engine: str | None) -> np.ndarray:
    """Information of each site's own series on its parameters, as shares of their bounds.

    Parameters
    ----------
    case : Case
    noise : float
        Standard deviation of the observation error, in units of the target.
    engine : str or None

    Returns
    -------
    ndarray of float64, (site, parameter, parameter)
        Jᵀ J / noise², with J the sensitivity of the simulated to the parameters where there is an
        observation; NaN where J is not finite.
    """
    # torch is imported only where there are tangents to run.
    from xdpl.engines.sensitivities import Sensitivities

    sensitivities = Sensitivities(case.model, case.output, engine=engine)
    steps, sites = next(iter(case.forcings.values())).shape
    count = len(case.model.parameters)
    some = max(1, _AT_ONCE // (steps * count))
    moved = slopes(case)
    weight = ~np.isnan(case.observed) / noise
    found = np.empty((sites, count, count))
    with remembering():
        for first in range(0, sites, some):
            part = slice(first, first + some)
            jacobian = sensitivities(
                {k: np.ascontiguousarray(v[:, part]) for k, v in case.forcings.items()},
                {k: v[part] for k, v in case.parameters.items()},
                {k: v[part] for k, v in moved.items()},
            )
            rows = (jacobian[:, case.warmup :] * weight[:, part]).transpose(2, 0, 1)
            # A diverged run is NaN in the result, not a warning.
            with np.errstate(all="ignore"):
                found[part] = rows @ rows.transpose(0, 2, 1)
    found[~np.isfinite(found).all(axis=(1, 2))] = np.nan
    return found


def shares(case: Case) -> np.ndarray:
    """Where the parameters lie between their bounds, (site, parameter), on their scales."""
    return Cube(tuple(case.model.parameters)).points(case.parameters)


def slopes(case: Case) -> dict[str, np.ndarray]:
    """How much each parameter changes with its share of the bounds, (site,), in its units."""
    return {p.name: _slope(p, case.parameters[p.name]) for p in case.model.parameters}


def width(p: Parameter) -> float:
    """Distance of the bounds, in units of the parameter; of their logarithms for a log-scaled one."""
    return float(np.log(p.upper / p.lower)) if p.scale == "log" else p.upper - p.lower


def _slope(p: Parameter, value: np.ndarray) -> np.ndarray:
    return value * width(p) if p.scale == "log" else np.full_like(value, width(p))
