"""Directions of a parameter space that data see, and those they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xdpl.evaluation.diagnostics.information import PRIOR

__all__ = ["Seen", "Spectrum", "direction_name", "spectrum"]

# Of the squared loadings, which add up to one: a parameter with less is not in the name of a direction.
_NAMED = 0.05


class Seen:
    """Labels of what the data tell of a parameter."""

    NO_SITE = -1
    SEEN = 0
    TRADED_OFF = 1
    UNSEEN = 2
    MEANINGS = "no_site seen traded_off unseen"


@dataclass(frozen=True)
class Spectrum:
    """Of information matrices (..., parameter, parameter) on shares of bounds; NaN where these are.

    Parameters
    ----------
    eigenvalues : ndarray, (..., direction)
        The best seen direction first.
    loadings : ndarray, (..., direction, parameter)
        Of unit length; the largest of each direction is positive.
    dimension : ndarray, (...)
    errors, conditional : ndarray, (..., parameter)
        Standard errors with the other parameters unknown, and with them known.
    seen : ndarray of int8, (..., parameter)
        As in `Seen`.
    flat : ndarray of bool, (..., direction)
    """

    eigenvalues: np.ndarray
    loadings: np.ndarray
    dimension: np.ndarray
    errors: np.ndarray
    conditional: np.ndarray
    seen: np.ndarray
    flat: np.ndarray


def spectrum(information: np.ndarray, threshold: float) -> Spectrum:
    """Eigenvalues, errors and labels.

    Parameters
    ----------
    information : ndarray, (..., parameter, parameter)
        On shares of the bounds.
    threshold : float
        Of the standard deviation that the bounds alone leave: what is left above it is not seen.
    """
    known = np.isfinite(information).all(axis=(-2, -1))
    count = information.shape[-1]
    filled = np.where(known[..., None, None], information, 0.0)
    ascending, vectors = np.linalg.eigh(filled)
    # Rounding leaves tiny negative ones.
    values = np.maximum(ascending[..., ::-1], 0.0)
    loadings = _oriented(np.swapaxes(vectors, -1, -2)[..., ::-1, :])
    errors = np.sqrt((loadings**2 / (values + PRIOR)[..., None]).sum(axis=-2))
    conditional = 1.0 / np.sqrt(np.diagonal(filled, axis1=-2, axis2=-1) + PRIOR)
    limit = threshold / np.sqrt(PRIOR)
    unseen, left = conditional > limit, errors > limit
    seen = np.where(unseen, Seen.UNSEEN, np.where(left, Seen.TRADED_OFF, Seen.SEEN)).astype(np.int8)
    flat = 1.0 / np.sqrt(values + PRIOR) > limit

    def at(v: np.ndarray, missing: float = np.nan) -> np.ndarray:
        where = known.reshape(known.shape + (1,) * (v.ndim - known.ndim))
        return np.where(where, v, np.asarray(missing, dtype=v.dtype))

    return Spectrum(
        at(values),
        at(loadings),
        at((values / (values + PRIOR)).sum(axis=-1)),
        at(errors),
        at(conditional),
        at(seen, Seen.NO_SITE),
        np.broadcast_to(known[..., None], (*known.shape, count)) & flat,
    )


def direction_name(loadings: np.ndarray, names: Sequence[str]) -> str:
    """A direction by its parameters, the largest loading first, such as ``"0.8 d2 - 0.6 ksat"``.

    Parameters
    ----------
    loadings : ndarray, (parameter,)
        Of unit length.
    names : sequence of str
    """
    order = [i for i in np.argsort(-np.abs(loadings), kind="stable") if loadings[i] ** 2 >= _NAMED]
    text = ""
    for i in order:
        sign = " - " if loadings[i] < 0 else " + "
        text += f"{sign if text else sign.strip(' +')}{abs(loadings[i]):.2f} {names[i]}"
    return text


def _oriented(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., direction, parameter) with their largest entry positive: libraries differ in the sign."""
    largest = np.argmax(np.abs(vectors), axis=-1)[..., None]
    sign = np.where(np.take_along_axis(vectors, largest, axis=-1) < 0, -1.0, 1.0)
    oriented: np.ndarray = vectors * sign
    return oriented
