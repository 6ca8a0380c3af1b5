"""Statistics that bring the inputs of a network to a common scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Moments", "Scaling"]


@dataclass(frozen=True)
class Moments:
    """Means and standard deviations of the training sites and period.

    Parameters
    ----------
    mean, std : ndarray, (variable,)
    """

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Moments:
        """Moments of the columns of an array (sample, variable), NaN left out."""
        if not values.shape[1]:
            return cls(np.zeros(0), np.ones(0))
        mean, std = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
        # A constant input carries nothing; dividing by one keeps it at zero.
        return cls(mean, np.where(std > 1e-12 * np.maximum(np.abs(mean), 1.0), std, 1.0))

    def normal(self, values: np.ndarray) -> np.ndarray:
        """Normalised values (..., variable)."""
        return np.asarray((values - self.mean) / self.std)


@dataclass(frozen=True)
class Scaling:
    """Moments of everything a network reads.

    Parameters
    ----------
    attributes, forcings, responses : Moments
        Of attributes after the transformation of the network; of forcings and responses
        in declared units, empty where the network does not read them.
    """

    attributes: Moments
    forcings: Moments
    responses: Moments
