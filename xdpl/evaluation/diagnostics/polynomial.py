"""Standard errors of parameters that follow attributes."""

from __future__ import annotations

import itertools

import numpy as np

from xdpl.evaluation.diagnostics.information import PRIOR

__all__ = ["of_polynomials"]


def of_polynomials(information: np.ndarray, attributes: np.ndarray) -> np.ndarray:
    """Standard error at every site of parameters that are polynomials of second degree of attributes.

    Parameters
    ----------
    information : ndarray, (site, parameter, parameter)
        Of each site on its own parameters, as shares of their bounds; sites with NaN tell nothing.
    attributes : ndarray, (site, attribute)

    Returns
    -------
    ndarray, (site, parameter)
        As shares of the bounds.
    """
    known = np.isfinite(information).all(axis=(1, 2))
    terms = _terms(attributes)
    count, width = terms.shape[1], information.shape[-1]
    told = np.where(known[:, None, None], information, 0.0)
    total = np.einsum("sk,sl,sij->kilj", terms, terms, told, optimize=True)
    total = total.reshape(count * width, count * width) + PRIOR * count * np.eye(count * width)
    covariance = np.linalg.inv(total).reshape(count, width, count, width)
    errors: np.ndarray = np.sqrt(np.einsum("sk,sl,kili->si", terms, terms, covariance, optimize=True))
    return errors


def _terms(attributes: np.ndarray) -> np.ndarray:
    """Constant, linear and quadratic terms (site, term), each of mean square one."""
    spread = attributes.std(axis=0)
    x = (attributes - attributes.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    pairs = itertools.combinations_with_replacement(range(x.shape[1]), 2)
    columns = [np.ones(len(x)), *x.T, *(x[:, i] * x[:, j] for i, j in pairs)]
    terms = np.stack(columns, axis=1)
    scale = np.sqrt((terms**2).mean(axis=0))
    # An attribute that is the same everywhere has no terms of its own.
    return np.asarray(terms / np.where(scale > 0, scale, 1.0))
