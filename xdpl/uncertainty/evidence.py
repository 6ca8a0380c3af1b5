"""The precision of the prior that makes the data most likely."""

from __future__ import annotations

import numpy as np

__all__ = ["best_precision", "log_evidence"]

_DECADES = (-6.0, 8.0)


def log_evidence(curvature: np.ndarray, squares: float, precision: float) -> float:
    """Logarithm of the marginal likelihood of the data, but for what does not depend on the prior.

    Parameters
    ----------
    curvature : ndarray, (weight,)
        Eigenvalues of the Gauss-Newton matrix at the trained weights.
    squares : float
        Sum of the squared weights.
    precision : float
        Inverse variance of the prior of every weight, of mean zero.

    Notes
    -----
    (n log λ - Σ log(hᵢ + λ) - λ |w|²) / 2, MacKay (1992), doi:10.1162/neco.1992.4.3.448, and
    Immer et al. (2021), arXiv:2104.04975.
    """
    count = len(curvature)
    volume = count * np.log(precision) - np.log(curvature + precision).sum()
    return float(0.5 * (volume - precision * squares))


def best_precision(curvature: np.ndarray, squares: float) -> float:
    """The precision of the prior with the largest `log_evidence`, between 1e-6 and 1e8."""
    from scipy.optimize import minimize_scalar

    # More than one maximum is possible: the search starts from the best of a grid.
    grid = np.linspace(*_DECADES, 57)
    values = [log_evidence(curvature, squares, 10.0**g) for g in grid]
    at = int(np.argmax(values))
    around = (grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)])
    found = minimize_scalar(
        lambda decade: -log_evidence(curvature, squares, 10.0**decade), bounds=around, method="bounded"
    )
    return float(10.0**found.x)
