"""Ridge regression whose penalty has the least leave-one-out error, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["PENALTIES", "Ridge", "ridge"]

# Per site and unit of variance: from none to speak of, to the mean alone.
PENALTIES = 10.0 ** np.arange(-6.0, 4.01, 0.25)


@dataclass(frozen=True)
class Ridge:
    """Linear relations of some targets to common predictors.

    Parameters
    ----------
    coefficients : ndarray, (target, predictor)
    constants : ndarray, (target,)
    penalties : ndarray, (target,)
        Of the sum of squared coefficients, over the number of samples.
    explained : ndarray, (target,)
        1 less the leave-one-out squared error over that of the mean; NaN of a constant.
    """

    coefficients: np.ndarray
    constants: np.ndarray
    penalties: np.ndarray
    explained: np.ndarray


def ridge(x: np.ndarray, y: np.ndarray, penalties: np.ndarray = PENALTIES) -> Ridge:
    """Minimise, for each target, the squared error plus a penalty on the coefficients.

    Parameters
    ----------
    x : ndarray, (sample, predictor)
        Columns of mean zero.
    y : ndarray, (sample, target)
        At least two samples.
    penalties : ndarray
        To choose from, for each target; times the number of samples they weigh the sum of
        squared coefficients. The constant is free.

    Returns
    -------
    Ridge

    Notes
    -----
    With the singular value decomposition x = U diag(s) Vᵀ and a penalty λ, the fitted values
    are H y, H = 1/n + U diag(s² / (s² + λ)) Uᵀ, and the error at a sample that is left out
    is (y - H y)_i / (1 - H_ii), without a fit of its own (Allen, 1974,
    doi:10.1080/00401706.1974.10489157; Golub et al., 1979,
    doi:10.1080/00401706.1979.10489751).
    """
    count = len(x)
    # The largest first: of errors that are equal but for rounding, that of the larger penalty is taken.
    choices = np.sort(penalties)[::-1]
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    mean = y.mean(axis=0)
    along = u.T @ (y - mean)
    shrunk = s**2 / (s**2 + count * choices[:, None])
    fitted = np.einsum("ir,cr,rt->cit", u, shrunk, along)
    leverage = 1.0 / count + np.einsum("ir,cr->ci", u**2, shrunk)
    errors = (y - mean - fitted) / (1.0 - leverage)[:, :, None]
    squared = (errors**2).sum(axis=1)
    best = (squared <= (1.0 + 1e-9) * squared.min(axis=0)).argmax(axis=0)
    target = np.arange(y.shape[1])
    of_mean = (((y - mean) / (1.0 - 1.0 / count)) ** 2).sum(axis=0)
    weights = s / (s**2 + count * choices[best, None]) * along.T
    # What is left of a constant is rounding.
    varies = np.ptp(y, axis=0) > 1e-12 * np.maximum(np.abs(mean), 1.0)
    explained = 1.0 - squared[best, target] / np.where(varies, of_mean, np.nan)
    return Ridge(weights @ vt, mean, choices[best], explained)
