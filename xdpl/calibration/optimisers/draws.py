"""Random numbers of competitive complex evolution, drawn for a whole loop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Draws", "parents"]


def parents(uniforms: np.ndarray, count: int) -> np.ndarray:
    """Distinct ranks with triangular probabilities, the best point the likeliest.

    Rank ``i`` of ``m``, from 0, has the weight ``m - i`` (Duan et al. 1992, eq. 1), and ranks are
    drawn one after the other without replacement. The `count` least of independent exponential
    variables divided by the weights are just such a draw (Efraimidis and Spirakis 2006,
    https://doi.org/10.1016/j.ipl.2005.11.003).

    Parameters
    ----------
    uniforms : ndarray, (..., rank)
        From 0 up to, not including, 1.
    count : int

    Returns
    -------
    ndarray of int, (..., count)
        In increasing order.
    """
    ranks = uniforms.shape[-1]
    arrival = -np.log1p(-uniforms) / np.arange(ranks, 0, -1)
    return np.sort(np.argpartition(arrival, count - 1, axis=-1)[..., :count], axis=-1)


@dataclass(frozen=True)
class Draws:
    """What chance decides in the steps of one loop of one site.

    Parameters
    ----------
    parents : ndarray of int, (complex, step, parent)
        Ranks of the points that breed.
    replacements : ndarray, (complex, step, 2, parameter)
        Places in the hypercube of the complex, from 0 to 1: of the point instead of a reflection
        that leaves the bounds, and of the one instead of a failed contraction.
    """

    parents: np.ndarray
    replacements: np.ndarray

    @classmethod
    def of(cls, generator: np.random.Generator, complexes: int, parameters: int) -> Draws:
        """The next ones of a generator; as many for each step, whatever becomes of it."""
        points = steps = 2 * parameters + 1
        uniforms = generator.random((complexes, steps, points + 2 * parameters))
        places = uniforms[..., points:].reshape(complexes, steps, 2, parameters)
        return cls(parents(uniforms[..., :points], parameters + 1), places)
